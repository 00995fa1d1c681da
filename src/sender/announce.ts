/** Tells a receiver about a top up before the first voucher that needs it. */
import type { ChannelKey } from '../channel/channel.ts'
import type { Offer, Payment } from '../channel/messages.ts'
import { readAbout, writeAbout, type AnyProtocol, type Context } from './context.ts'
import { readRefusal, type Said } from './refusal.ts'

/** Looks at a deposit that is not deep enough. The longest wait between two of them. */
const MOST_LOOKS = 120
const MOST_SECONDS = 15

/**
 * Sends the top up that the receiver has not heard of yet, if there is one, and waits until it trusts it.
 *
 * To the address and by the method of the purchase, which is sure to reach the receiver; it buys nothing.
 */
export async function announceTopUp(
  context: Context,
  { dialect }: AnyProtocol,
  key: ChannelKey,
  offer: Offer,
  { url, method }: { readonly url: URL; readonly method: string },
): Promise<void> {
  const { toppingUp } = await readAbout(context.store, key)
  const channel = toppingUp && dialect.carriesFunding ? await context.store.get(key) : undefined
  if (!toppingUp || !channel) return
  const { hash, amount } = toppingUp
  const funding = { by: 'transaction', action: 'topUp', hash, amount: BigInt(amount) } as const
  const payment: Payment = { channelId: channel.id, sender: channel.sender, funding }
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const headers = dialect.writePayment(offer, payment).map(([name, value]): [string, string] => [name, value])
    const response = await context.fetch(url, { method, headers, redirect: 'manual' })
    if (response.ok) break
    const wait = Number(response.headers.get('retry-after') ?? NaN)
    // Refused for another reason, for example an old offer: the voucher will hear it, and this is tried again then.
    if (!Number.isFinite(wait)) return
    const said = await readRefusal(response, dialect)
    await pause(
      context,
      { retryAfterSeconds: wait, detail: said?.detail ?? 'The receiver waits for confirmations.' },
      undefined,
    )
  }
  await writeAbout(context.store, key, ({ toppingUp: _done, ...about }) => about)
}

/** Waits as long as the receiver asked, within reason, and says so. */
export async function pause(
  { onProgress, retryMs }: Context,
  { retryAfterSeconds, detail }: Pick<Said, 'retryAfterSeconds' | 'detail'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const seconds = Math.min(Math.max(retryAfterSeconds ?? retryMs / 1000, 0.01), MOST_SECONDS)
  onProgress({ step: 'waiting', seconds, reason: detail })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, seconds * 1000)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      if (signal?.aborted) reject(new DOMException('the caller gave up', 'AbortError'))
      else resolve()
    }
    signal?.addEventListener('abort', done)
  })
}
