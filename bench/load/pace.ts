/** Requests at a fixed rate, whatever the server does: what is late has waited, and that counts. */
import type { Answer } from './answers.ts'
import { openConnections, type Connection } from './sockets.ts'

/** Milliseconds from the moment that a request was due until its whole answer was there. */
export type Latency = { readonly p50: number; readonly p99: number; readonly most: number }

/**
 * `exact` keeps a processor busy so that every request is sent when it is due; `gentle` leaves it to others, and is
 * up to a millisecond off, which is not counted.
 */
export type Pace = { readonly perSecond: number; readonly precision: 'exact' | 'gentle' }

type Waiting = { readonly request: Buffer; readonly dueMs: number }
type Queue = { readonly free: Connection[]; readonly waiting: Waiting[]; send(request: Buffer, dueMs: number): void }

/** Sends each request once. @throws if any is answered with another status than 200 */
export async function sendAtPace(
  port: number,
  connections: number,
  requests: readonly Buffer[],
  pace: Pace,
): Promise<Latency> {
  const latencies: number[] = []
  let fail: (error: Error) => void = () => undefined
  const broken = new Promise<never>((_, reject) => (fail = reject))
  broken.catch(() => undefined)
  const open = await openConnections(port, connections, fail)
  try {
    const all = new Promise<void>((resolve) => {
      const queue = createQueue([...open], ({ status, text }, latencyMs) => {
        if (status !== 200) fail(new Error(`a paid request was answered with\n${text}`))
        latencies.push(latencyMs)
        if (latencies.length === requests.length) resolve()
      })
      start(queue, requests, pace)
    })
    await Promise.race([all, broken])
  } finally {
    for (const one of open) one.close()
  }
  return summary(latencies)
}

function start(queue: Queue, requests: readonly Buffer[], { perSecond, precision }: Pace): void {
  const begin = performance.now()
  const step = 1000 / perSecond
  let next = 0
  const tick = () => {
    for (let request = requests[next]; request; request = requests[next]) {
      const dueMs = begin + next * step
      const nowMs = performance.now()
      if (nowMs < dueMs) break
      queue.send(request, precision === 'exact' ? dueMs : nowMs)
      next += 1
    }
    if (next >= requests.length) return
    if (precision === 'exact') setImmediate(tick)
    else setTimeout(tick, 1)
  }
  tick()
}

function createQueue(free: Connection[], onAnswer: (answer: Answer, latencyMs: number) => void): Queue {
  const waiting: Waiting[] = []
  const carry = (connection: Connection, { request, dueMs }: Waiting) => {
    connection.send(request, (answer) => {
      const next = waiting.shift()
      if (next) carry(connection, next)
      else free.push(connection)
      onAnswer(answer, performance.now() - dueMs)
    })
  }
  return {
    free,
    waiting,
    send: (request, dueMs) => {
      const connection = free.pop()
      if (connection) carry(connection, { request, dueMs })
      else waiting.push({ request, dueMs })
    },
  }
}

function summary(latencies: readonly number[]): Latency {
  const sorted = [...latencies].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { p50: at(0.5), p99: at(0.99), most: at(1) }
}
