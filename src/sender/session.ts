/**
 * Buys resources over HTTP: the calls of `fetch`, which pay their own 402.
 *
 * A session remembers the offers it was made, so that a later request to the
 * same URL is one round trip. What it spends is the client's business.
 */
import type { ChannelKey } from '../channel/channel.ts'
import { checkAhead, type Ahead } from './ahead.ts'
import { readAsked, type Asked } from './asked.ts'
import { createOfferBook } from './book.ts'
import { closeTogether, requestClose } from './close.ts'
import { protocolOf, type Context } from './context.ts'
import { buy } from './fetch.ts'
import type { Hooks } from './hooks.ts'
import { createItinerary } from './redirect.ts'

export type Session = {
  readonly get: Call
  readonly options: Call
  readonly head: Call
  readonly post: Call
  readonly put: Call
  readonly patch: Call
  readonly delete: Call
  request(method: string, url: string | URL, init?: RequestInit): Promise<Response>
  /** The same as a drop-in for the global `fetch`. */
  readonly fetch: typeof fetch
  /**
   * Closes every channel that this session paid from: together with the receiver, or, if that one does not agree, alone
   * and honestly. With `closeOnExit` set {@link Session.end} does so too.
   */
  closeChannels(): Promise<void>
  /** Call when nothing more is bought. */
  end(): Promise<void>
}

export type SessionOptions = {
  /** The deposit of a new channel, for a price. Default: the client's. */
  readonly initialDeposit?: (price: bigint) => bigint
  /** What a top up adds, for a price. Default: the client's. */
  readonly topUpDeposit?: (price: bigint) => bigint
  /**
   * What a voucher authorizes beyond the request at hand; the requests that it covers present it again. Until it is
   * used that much is at risk, within the deposit and the budget. Default: the client's.
   */
  readonly ahead?: Ahead
  /** How long to wait before the same payment is sent again, where the receiver does not say. */
  readonly retryMs?: number
  /** Whether `end` closes the channels. Default: they stay open for the next time. */
  readonly closeOnExit?: boolean
  readonly hooks?: Hooks
}

type Call = (url: string | URL, init?: RequestInit) => Promise<Response>

export function createSession(client: Context, options: SessionOptions = {}): Session {
  const used = new Set<ChannelKey>()
  const context = contextOf(client, options, used)
  const book = createOfferBook()
  const follow = createItinerary((outgoing) => buy(context, book, outgoing))
  const paying = async (input: string | URL | Request, init?: RequestInit) => {
    const asked = readAsked(input, init)
    return observed(context, asked, async () => follow(await asked.prepare(), asked.redirect))
  }
  const call =
    (method: string): Call =>
    (url, init) =>
      paying(url, { ...init, method })
  const closeChannels = () => closeAll(context, used)
  return {
    get: call('GET'),
    options: call('OPTIONS'),
    head: call('HEAD'),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
    request: (method, url, init) => paying(url, { ...init, method }),
    fetch: paying,
    closeChannels,
    end: () => (options.closeOnExit ? closeChannels() : Promise.resolve()),
  }
}

function contextOf(client: Context, options: SessionOptions, used: Set<ChannelKey>): Context {
  const { initialDeposit, topUpDeposit, ahead, retryMs, hooks = {} } = options
  checkAhead(ahead)
  return {
    ...client,
    hooks,
    ...(initialDeposit && { deposit: initialDeposit }),
    ...(topUpDeposit && { topUpDeposit }),
    ...(ahead && { ahead }),
    ...(retryMs !== undefined && { retryMs }),
    onUsed: (key) => used.add(key),
  }
}

async function observed({ hooks }: Context, { url, method }: Asked, run: () => Promise<Response>): Promise<Response> {
  const subject = { url, method }
  let response: Response | undefined
  hooks.onInit?.(subject)
  try {
    response = await run()
    if (response.ok) hooks.onSuccess?.(response, subject)
    else if (response.status !== 402) hooks.onHttpError?.(response, subject)
    return response
  } finally {
    hooks.onExit?.(subject, response)
  }
}

async function closeAll(context: Context, used: Set<ChannelKey>): Promise<void> {
  for (const key of used) {
    const channel = await context.store.get(key)
    if (channel?.status !== 'open') continue
    const protocol = protocolOf(context, channel)
    try {
      await closeTogether(context, protocol, channel)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      if (context.hooks.onCloseRefused?.(error) === 'stop') continue
      await requestClose(context, protocol, (await context.store.get(key)) ?? channel)
    }
    used.delete(key)
  }
}
