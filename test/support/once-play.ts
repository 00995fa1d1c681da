/** Plays requests against a counter, in parallel and in any order, and holds what comes of them against the model. */
import { expect } from 'vitest'
import { authorized, type Channel } from '../../src/channel/channel.ts'
import { agreeToClose } from '../../src/channel/ledger.ts'
import { until } from './market.ts'
import { createModel, isSame, mayRunAgain, PRICE, type Purchase, type Sending } from './once-model.ts'
import type { Counter, Till } from './once-shop.ts'

/** What a voucher is over. */
export type Promised = 'next' | 'ahead' | 'the best' | 'short' | 'beyond the deposit' | 'forged'

/** `held`: its handler waits until it is let go. `rushed`: the next step does not wait for it. */
export type How = {
  readonly voucher: Promised
  readonly times: number
  readonly held: boolean
  readonly rushed: boolean
}

/** Headers that pay `amount`, cumulative; `forged`: with the signature of somebody else. */
export type Pay = (purchase: Purchase, amount: bigint, forged: boolean) => Promise<Record<string, string>>

export type Play = ReturnType<typeof createPlay>

export function createPlay(channel: Channel, pay: Pay) {
  const model = createModel(channel.deposit)
  const sendings = new Map<string, Sending>()
  const held = new Set<string>()
  const ran = new Set<string>()
  /** Handlers that wait to be let go, and arrivals that were not answered yet. */
  const waiting = new Map<string, () => void>()
  const underWay = new Map<string, Sending>()
  const wrongs: unknown[] = []

  const till: Till = async (id, paid, { store }) => {
    const sending = sendings.get(id)!
    try {
      expect(paid.price).toBe(PRICE)
      const before = model.begins(sending)
      ran.add(id)
      const due = model.sums.charged
      // What is read here is on the disk: nothing runs before its charge is.
      const kept = (await store.get(channel.key))!
      expect(kept.charged).toBeGreaterThanOrEqual(due)
      expect(kept.charged).toBeLessThanOrEqual(authorized(kept))
      expect(authorized(kept)).toBeLessThanOrEqual(kept.deposit)
      if (held.has(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
      const end = before > 0 ? 'answers' : sending.purchase.first
      if (end === 'spends less') paid.spend(2n)
      if (end === 'fails') model.ends(sending, 'given back')
      else if (end === 'tears') model.ends(sending, 'interrupted')
      else model.ends(sending, 'answered', end === 'spends less' ? PRICE - 2n : 0n)
      return end === 'spends less' ? 'answers' : end
    } catch (wrong) {
      wrongs.push(wrong)
      throw wrong
    }
  }

  function amountOf(voucher: Promised): bigint {
    const next = model.sums.charged + PRICE * BigInt(1 + underWay.size - waiting.size)
    if (voucher === 'ahead') return next + 3n * PRICE
    if (voucher === 'the best') return model.sums.authorized
    if (voucher === 'short') return next - 1n
    return voucher === 'beyond the deposit' ? channel.deposit + 1n : next
  }

  async function send(counter: Counter, purchase: Purchase, how: How): Promise<void> {
    const [amount, forged] = [amountOf(how.voucher), how.voucher === 'forged']
    const headers = await pay(purchase, amount, forged)
    const isQuiet = how.times === 1 && !how.rushed && [...underWay.values()].every(isStuck)
    for (let i = 0; i < how.times; i += 1) {
      const sending: Sending = { id: `${channel.id}-${sendings.size}`, purchase, amount, forged }
      sendings.set(sending.id, sending)
      if (how.held) held.add(sending.id)
      underWay.set(sending.id, sending)
      void hear(counter, sending, headers, isQuiet ? model.foresee(sending) : undefined)
    }
    if (!how.rushed) await standStill()
  }

  async function hear(counter: Counter, sending: Sending, pays: Record<string, string>, foreseen?: string) {
    const { id, purchase } = sending
    const { key, method, path, body } = purchase
    const headers = { ...pays, 'x-id': id, ...(key !== undefined && { 'idempotency-key': key }) }
    try {
      const response = await counter.ask(path, { method, headers, ...(method === 'POST' && { body }) })
      judge(sending, response, await response.text(), foreseen)
    } catch (error) {
      // Either the handler tore its answer, or the receiver was cut off.
      const isTorn = !underWay.has(id) || (ran.has(id) && purchase.first === 'tears')
      if (!(error instanceof TypeError) || !isTorn) wrongs.push(error)
    } finally {
      underWay.delete(id)
    }
  }

  function judge({ id, purchase, amount, forged }: Sending, response: Response, body: string, foreseen?: string): void {
    const isReplayed = response.headers.get('idempotency-replayed') === 'true'
    const said = ran.has(id) ? 'runs' : isReplayed ? 'again' : codeIn(body)
    const told = `${id} ${JSON.stringify(purchase)} got ${response.status} ${body}`
    if (foreseen !== undefined) expect(said, told).toBe(foreseen)
    const past = purchase.key === undefined ? undefined : model.known.get(purchase.key)
    if (said === 'runs')
      expect([response.status, body], told).toEqual([response.status === 500 ? 500 : 200, expect.any(String)])
    if (response.status === 200) expect(body, told).toBe(said === 'again' ? past?.answer : id)
    const isFair: Readonly<Record<string, boolean>> = {
      runs: !forged,
      again: past !== undefined && isSame(past.purchase, purchase),
      'request-conflict': past !== undefined && !isSame(past.purchase, purchase),
      'request-interrupted': past?.state === 'interrupted' && !mayRunAgain(purchase),
      'invalid-signature': forged,
      'deposit-exceeded': amount > channel.deposit,
      'channel-not-open': model.sums.isClosing,
      underpaid: amount < channel.deposit,
    }
    expect(isFair[said], told).toBe(true)
  }

  function isStuck({ id, purchase: { key } }: Sending): boolean {
    if (waiting.has(id)) return true
    return key !== undefined && [...waiting.keys()].some((other) => sendings.get(other)?.purchase.key === key)
  }

  /** Waits until nothing moves but what is let go. */
  async function standStill(): Promise<void> {
    await until(() => wrongs.length > 0 || [...underWay.values()].every(isStuck))
    if (wrongs.length > 0) throw wrongs[0]
  }

  async function letGo(): Promise<void> {
    await until(() => {
      for (const [id, go] of waiting) {
        waiting.delete(id)
        go()
      }
      return underWay.size === 0 || wrongs.length > 0
    })
    if (wrongs.length > 0) throw wrongs[0]
  }

  /** Before the receiver is cut off: what waits will never be heard of. */
  async function crash(): Promise<void> {
    await standStill()
    underWay.clear()
    waiting.clear()
    model.crashes()
  }

  /** The receiver's books and the model's, when nothing is under way. */
  async function compare({ receiver: { store } }: Counter): Promise<void> {
    await letGo()
    // An update waits for those before it: what is given back may come after its answer.
    const books = await store.update(channel.key, (now) => now!)
    const { charged, authorized: most } = model.sums
    expect({ charged: books.charged, authorized: authorized(books) }).toEqual({ charged, authorized: most })
    expect(charged).toBeLessThanOrEqual(most)
  }

  /** The receiver agrees to end the channel, between any two charges. */
  async function close({ receiver: { store } }: Counter): Promise<void> {
    model.sums.isClosing = true
    await store.update(channel.key, (now) => agreeToClose(now!, authorized(now!)))
    model.sums.isClosed = true
  }

  return { till, send, letGo, crash, close, compare }
}

function codeIn(body: string): string {
  try {
    return (JSON.parse(body) as { code: string }).code
  } catch {
    return body
  }
}
