/**
 * Recovers signers on other cores, when this thread has more to do than it can and they are idle.
 *
 * Otherwise it is done here and at once: a message to another thread costs time
 * on both, and helps nobody where every core is busy.
 */
import { availableParallelism, cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { Address, Hex } from 'viem'
import type { Batch } from './recovery-worker.ts'
import { recoverAddress } from './secp256k1.ts'

export type Signer = Address | undefined

export type Recovery = {
  /** As {@link recoverAddress}. `digest` must not change afterwards. */
  recover(digest: Uint8Array, signature: Hex): Signer | Promise<Signer>
  /** Ends its threads; what they were asked is answered here. */
  stop(): void
}

type Question = { readonly digest: Uint8Array; readonly signature: Hex; readonly answer: (signer: Signer) => void }
type Thread = { readonly worker: Worker; readonly asked: (readonly Question[])[] }

/** Fewer signatures are not worth a message. */
const LEAST = 8

/** @param isWorth whether threads shall help now; asked for each signature */
export function createRecovery(threads = availableParallelism() - 1, isWorth: () => boolean = createGauge()): Recovery {
  const running = new Set<Thread>()
  let most = threads
  let waiting: Question[] = []

  function share(): void {
    const questions = waiting
    waiting = []
    while (running.size < most) running.add(start(running, () => (most = 0)))
    const size = Math.max(LEAST, Math.ceil(questions.length / (running.size + 1)))
    // The first share is for this thread, which has less to do for it.
    let from = size
    for (const thread of running) {
      const batch = questions.slice(from, from + size)
      if (batch.length < LEAST) break
      ask(thread, batch)
      from += size
    }
    for (const one of [...questions.slice(0, size), ...questions.slice(from)]) answer(one)
  }

  return {
    recover(digest, signature) {
      if (most < 1 || !isWorth()) return recoverAddress(digest, signature)
      return new Promise((resolve) => {
        if (waiting.length === 0) setImmediate(share)
        waiting.push({ digest, signature, answer: resolve })
      })
    },
    stop() {
      most = 0
      for (const { worker } of running) void worker.terminate()
    },
  }
}

function answer({ digest, signature, answer: tell }: Question): void {
  tell(recoverAddress(digest, signature))
}

function ask({ worker, asked }: Thread, questions: readonly Question[]): void {
  asked.push(questions)
  const digests = new Uint8Array(32 * questions.length)
  for (const [at, { digest }] of questions.entries()) digests.set(digest, 32 * at)
  const batch: Batch = { digests, signatures: questions.map(({ signature }) => signature) }
  worker.postMessage(batch, [digests.buffer])
}

/** What a thread did not answer before its end is answered here; one that breaks is not started again. */
function start(running: Set<Thread>, onBroken: () => void): Thread {
  const worker = new Worker(program)
  const thread: Thread = { worker, asked: [] }
  worker.unref()
  worker.on('message', (signers: Signer[]) => {
    for (const [at, question] of (thread.asked.shift() ?? []).entries()) question.answer(signers[at])
  })
  const end = () => {
    running.delete(thread)
    for (const question of thread.asked.splice(0).flat()) answer(question)
  }
  worker.on('exit', end).on('error', () => {
    onBroken()
    end()
  })
  return thread
}

/** Threads run what was built, also when this is run from its sources. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/base/recovery-worker.js' : './recovery-worker.js',
  import.meta.url,
)

const SAMPLE_MS = 1_000
const BUSY = 0.7

/** Whether this thread was busy in the last second while one core at least had nothing to do. */
function createGauge(): () => boolean {
  let loop = performance.eventLoopUtilization()
  let idleMs = idleMsOfCores()
  let sampledMs = performance.now()
  let isWorth = false
  return () => {
    const now = performance.now()
    if (now - sampledMs < SAMPLE_MS) return isWorth
    const idle = idleMsOfCores()
    const idleCores = (idle - idleMs) / (now - sampledMs)
    isWorth = performance.eventLoopUtilization(loop).utilization > BUSY && idleCores > 1
    loop = performance.eventLoopUtilization()
    idleMs = idle
    sampledMs = now
    return isWorth
  }
}

/** Milliseconds that all cores together have had nothing to do. */
function idleMsOfCores(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}
