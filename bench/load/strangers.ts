/** Those who do not pay, or pretend to: many requests on few connections, without waiting for the answers. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { HeaderLines } from '../../src/dialect/dialect.ts'
import { PAID } from '../servers/listeners.ts'
import { PRICE, type World } from '../world.ts'
import { answerReader } from './answers.ts'
import { freeRequest, requestOf, walletOf } from './buyer.ts'

/**
 * `free`: they ask for what is free, which shows what any request costs the others. `unpaid`: they do not pay for what
 * is sold. `bogus`: a third each is malformed, names a channel that is not there, or carries a made-up signature.
 */
export const strangerKinds = ['free', 'unpaid', 'bogus'] as const
export type StrangerKind = (typeof strangerKinds)[number]

export type Crowd = {
  readonly kind: StrangerKind
  readonly port: number
  readonly world: World
  readonly perSecond: number
  readonly seconds: number
}

export type Strangers = { readonly answered: number; readonly perSecond: number }

const CONNECTIONS = 50
/** Requests on one connection that have no answer yet; a full pipe takes no more. */
const MOST_WAITING = 100

type Pipe = { readonly socket: Socket; waiting: number }

/** Sends `perSecond`, or as many as the server takes. @throws if any is served what is sold */
export async function sendStrangers({ kind, port, world, perSecond, seconds }: Crowd): Promise<Strangers> {
  const requests = strangeRequests(kind, world, Math.ceil(perSecond * seconds))
  const wanted = kind === 'free' ? 2 : 4
  let answered = 0
  let fail: (error: Error) => void = () => undefined
  const broken = new Promise<never>((_, reject) => (fail = reject))
  broken.catch(() => undefined)
  const onAnswer = (status: number, text: string) => {
    answered += 1
    if (Math.floor(status / 100) !== wanted) fail(new Error(`a stranger was answered with\n${text}`))
  }
  const pipes = await Promise.all(Array.from({ length: CONNECTIONS }, () => openPipe(port, onAnswer)))
  const start = performance.now()
  try {
    await Promise.race([pour(pipes, requests, perSecond, seconds), broken])
    return { answered, perSecond: (answered * 1000) / (performance.now() - start) }
  } finally {
    for (const { socket } of pipes) socket.destroy()
  }
}

function pour(pipes: readonly Pipe[], requests: readonly Buffer[], perSecond: number, seconds: number): Promise<void> {
  const start = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const tick = () => {
      const elapsed = performance.now() - start
      if (elapsed > seconds * 1000) {
        resolve()
        return
      }
      const due = Math.min(perSecond / 100, Math.floor((elapsed * perSecond) / 1000) - sent)
      for (let one = 0; one < due; one += 1) sent += sendOne(pipes, requests, sent)
      setTimeout(tick, 1)
    }
    tick()
  })
}

function sendOne(pipes: readonly Pipe[], requests: readonly Buffer[], index: number): number {
  const pipe = pipes[index % pipes.length]
  const request = requests[index % requests.length]
  if (pipe && request && pipe.waiting < MOST_WAITING) {
    pipe.waiting += 1
    pipe.socket.write(request)
  }
  return 1
}

async function openPipe(port: number, onAnswer: (status: number, text: string) => void): Promise<Pipe> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(opening)).once('error', reject)
  })
  const pipe = { socket, waiting: 0 }
  socket.on(
    'data',
    answerReader(({ status, text }) => {
      pipe.waiting -= 1
      onAnswer(status, text)
    }),
  )
  return pipe
}

/** No two alike, where that is possible: nothing is known to be bad before it is looked at. */
function strangeRequests(kind: StrangerKind, world: World, count: number): Buffer[] {
  if (kind === 'free') return [freeRequest]
  if (kind === 'unpaid') return [requestOf(PAID, [])]
  const pay = walletOf('rdn', world)
  const honest = Array.from({ length: 64 }, (_, index) => pay(index, PRICE * 10n ** 9n))
  return Array.from({ length: count }, (_, index) => {
    const lines = honest[index % honest.length] ?? []
    return requestOf(PAID, [malformed, unknown, forged][index % 3]?.(lines) ?? [])
  })
}

function malformed(lines: HeaderLines): HeaderLines {
  return replaced(lines, 'RDN-Balance-Signature', `0x${randomBytes(20).toString('hex')}`)
}

function unknown(lines: HeaderLines): HeaderLines {
  return replaced(lines, 'RDN-Sender-Address', `0x${randomBytes(20).toString('hex')}`)
}

/** r and s in range, s in the lower half. */
function forged(lines: HeaderLines): HeaderLines {
  const [r, s] = [randomBytes(32), randomBytes(32)]
  r[0] = 0x11
  s[0] = 0x11
  return replaced(lines, 'RDN-Balance-Signature', `0x${r.toString('hex')}${s.toString('hex')}1b`)
}

function replaced(lines: HeaderLines, wanted: string, by: string): HeaderLines {
  return lines.map(([name, value]) => [name, name === wanted ? by : value] as const)
}
