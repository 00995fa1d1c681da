/** A server that sells for a receiver, from its start to its end. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigError } from '../../base/faults.ts'
import { messageOf, type Log } from '../../base/log.ts'
import { createProxy, type Mount, type PaidServer, type Routes, type TlsOptions } from '../../proxy/proxy.ts'
import type { Receiver } from '../../receiver/receiver.ts'
import { requireSellable, type Goods } from './goods.ts'
import { MistakesError } from './json-file.ts'
import { asOption } from './as-options.ts'
import { withLiveness } from './rest.ts'
import { aborted, type Signals } from './signals.ts'

export type ShopOptions = {
  readonly receiver: Receiver
  readonly goods: Goods
  /** The REST interface, which is among the mounts. */
  readonly rest: Mount | undefined
  readonly mounts: readonly Mount[]
  readonly tls: TlsOptions | undefined
  readonly host: string
  readonly port: number
  readonly signals: Signals
}

/**
 * Sells until it is asked to stop, and lets running requests finish.
 *
 * It takes its port before the chain is looked at, so that what is wrong with that is heard at once; until the
 * receiver is level with the chain, what costs something is answered with 503.
 *
 * @param onReady told the URL
 * @throws {ConfigError} | {@link MistakesError} if it cannot start
 */
export async function sellUntilStopped(options: ShopOptions, onReady: (url: string) => void): Promise<void> {
  const { receiver, mounts, tls, host, port, signals } = options
  const routes = readRoutes(options)
  const onAnswer = logAnswers(receiver.log)
  const proxy = createProxy({ receiver, routes, mounts, onAnswer, ...(tls && { tls }) })
  try {
    const url = await listen(proxy, port, host)
    if (!tls && !isLocal(host))
      receiver.log('warn', 'no-tls', {
        message:
          'Payments and what is sold can be read on their way. Give --tls-cert and --tls-key, or end TLS in front.',
      })
    signals.onReload(() => reload(proxy, options))
    await start(receiver, signals.stop)
    if (!signals.stop.aborted) onReady(url)
    await aborted(signals.stop)
  } finally {
    await proxy.close()
    await receiver.stop()
  }
}

/** Stops in the middle of it, too. */
async function start(receiver: Receiver, stop: AbortSignal): Promise<void> {
  const giveUp = () => void receiver.stop()
  stop.addEventListener('abort', giveUp)
  try {
    await receiver.start()
  } finally {
    stop.removeEventListener('abort', giveUp)
  }
}

/** The files and the routes as they are now; what is wrong stays as it was, and is said. */
function reload(proxy: PaidServer, options: ShopOptions): void {
  const { receiver, goods, tls } = options
  attempt(receiver.log, tls !== undefined, 'certificate', () => proxy.reloadTls())
  attempt(receiver.log, goods.file !== undefined, 'routes', () => proxy.reloadRoutes(readRoutes(options)))
}

/** @throws {ConfigError} | {@link MistakesError} */
function readRoutes({ receiver, goods, rest }: ShopOptions): Routes {
  const routes = goods.read()
  requireSellable(goods.file, routes, receiver)
  return withLiveness(routes, rest)
}

function attempt(log: Log, wanted: boolean, what: string, work: () => void): void {
  if (!wanted) return
  try {
    work()
    log('info', 'reloaded', { what })
  } catch (error) {
    const mistakes = error instanceof MistakesError ? `${error.message} ${error.mistakes.join('; ')}` : undefined
    const known = error instanceof ConfigError ? asOption(error, undefined) : error
    log('error', 'reload-failed', { what, message: mistakes ?? messageOf(known) })
  }
}

/** @throws {ConfigError} if the host or the port cannot be had */
async function listen(proxy: PaidServer, port: number, host: string): Promise<string> {
  try {
    return await proxy.listen(port, host)
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error && 'code' in error)) throw error
    const refused = `${host}:${port} cannot be had (${String(error.code)})`
    if (error.code === 'EACCES') throw new ConfigError('--port', `${refused}. Take one from 1024 up`)
    throw new ConfigError('--host', `${refused}. Take an address of this machine, such as 127.0.0.1 or 0.0.0.0`)
  }
}

function isLocal(host: string): boolean {
  return ['localhost', '127.0.0.1', '::1'].includes(host)
}

/** Without the query, which may hold what is nobody's business. */
function logAnswers(log: Log): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ method = '', url = '' }, { statusCode }) => {
    const end = url.indexOf('?')
    log('info', 'answer', { status: statusCode, method, path: end < 0 ? url : url.slice(0, end) })
  }
}
