import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorized, channelKey, type Channel } from './channel.ts'
import { apply, merge, type ChainEvent } from './events.ts'

const address = (digit: string) => `0x${digit.repeat(40)}` as const
const id = `0x${'ab'.repeat(32)}` as const
const key = channelKey(1, address('e'), id)
const fresh: Channel = {
  key,
  id,
  chainId: 1,
  escrow: address('e'),
  sender: address('1'),
  receiver: address('2'),
  token: address('3'),
  signer: address('1'),
  terms: {},
  status: 'open',
  deposit: 100n,
  settled: 0n,
  charged: 0n,
  block: 1n,
}
const opened: ChainEvent = { type: 'opened', key, channel: fresh, block: 1n }

/** What a real escrow could emit for one channel, block by block. */
const history = fc
  .array(fc.constantFrom('toppedUp', 'settled', 'closeRequested', 'closeCancelled', 'closed'), { maxLength: 12 })
  .map(eventsOf)

function eventsOf(types: readonly string[]): ChainEvent[] {
  const events: ChainEvent[] = [opened]
  let [deposit, settled, block] = [100n, 0n, 1n]
  for (const type of types) {
    block += 1n
    if (type === 'toppedUp') events.push({ type, key, amount: (deposit += 10n), block })
    if (type === 'settled') events.push({ type, key, amount: (settled += 1n), block })
    if (type === 'closeRequested') events.push({ type, key, withdrawableAt: { time: block + 900n }, block })
    if (type === 'closeCancelled') events.push({ type, key, block })
    if (type === 'closed') return [...events, { type, key, settled: settled + 1n, block }]
  }
  return events
}

/** Rises of deposit and settled, some of them in one block. */
const rises = fc
  .array(fc.tuple(fc.constantFrom('toppedUpBy' as const, 'settledBy' as const), fc.boolean()), { maxLength: 12 })
  .map((steps) => {
    const events: ChainEvent[] = [{ ...opened, logIndex: 0, channel: { ...fresh, logIndex: 0 } }]
    let place = { block: 1n, logIndex: 0 }
    for (const [type, sameBlock] of steps) {
      place = sameBlock ? { ...place, logIndex: place.logIndex + 1 } : { block: place.block + 1n, logIndex: 0 }
      events.push({ type, key, added: 7n, ...place })
    }
    return events
  })

const replay = (events: readonly ChainEvent[], from?: Channel) => events.reduce<Channel | undefined>(apply, from)

describe('apply', () => {
  it('comes to the same end when a crash makes any part of the history come twice', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), (events, a, b) => {
        const [from, to] = [a % (events.length + 1), b % (events.length + 1)].sort((x, y) => x - y)
        const twice = [...events.slice(0, to), ...events.slice(from)]
        expect(replay(twice)).toEqual(replay(events))
      }),
    )
  })

  it('counts every rise once, several in one block too, when a crash makes any part of the history come twice', () => {
    fc.assert(
      fc.property(rises, fc.nat(), fc.nat(), (events, a, b) => {
        const [from, to] = [a % (events.length + 1), b % (events.length + 1)].sort((x, y) => x - y)
        const end = replay([...events.slice(0, to), ...events.slice(from)])!
        const sum = (type: string) =>
          events.reduce((total, event) => (event.type === type && 'added' in event ? total + event.added : total), 0n)
        expect(end).toMatchObject({ deposit: 100n + sum('toppedUpBy'), settled: sum('settledBy') })
      }),
    )
  })

  it('takes what it has read at a block for all of that block', () => {
    const read: Channel = { ...fresh, block: 5n, deposit: 130n }
    const rise = { type: 'toppedUpBy', key, added: 30n, block: 5n, logIndex: 2 } as const
    expect(apply(read, rise)).toBe(read)
    expect(apply(read, { ...rise, block: 6n })).toMatchObject({ deposit: 160n, block: 6n, logIndex: 2 })
    expect(apply(read, { type: 'closeRequested', key, block: 5n, logIndex: 3, stated: 1n })).toMatchObject({
      status: 'closing',
      closeStated: 1n,
    })
  })

  it('never lowers deposit, settled or charged, never drops a voucher, and never reopens a closed channel', () => {
    fc.assert(
      fc.property(history, (events) => {
        let channel: Channel = { ...fresh, voucher: { cumulativeAmount: 20n, signature: '0xaa' }, charged: 15n }
        for (const event of events) {
          const next = apply(channel, event)!
          expect(next.deposit).toBeGreaterThanOrEqual(channel.deposit)
          expect(next.settled).toBeGreaterThanOrEqual(channel.settled)
          expect(next.charged).toBeGreaterThanOrEqual(channel.charged)
          expect(authorized(next)).toBeGreaterThanOrEqual(authorized(channel))
          expect(next.voucher).toEqual(channel.voucher)
          if (channel.status === 'closed') expect(next.status).toBe('closed')
          channel = next
        }
      }),
    )
  })

  it('knows nothing of a channel whose opening it has not seen', () => {
    expect(apply(undefined, { type: 'settled', key, amount: 5n, block: 9n })).toBeUndefined()
  })

  it('forgets the end of the challenge period when the close was cancelled', () => {
    const closing = replay([opened, { type: 'closeRequested', key, withdrawableAt: { time: 5n }, block: 2n }])!
    expect(closing).toMatchObject({ status: 'closing', withdrawableAt: { time: 5n } })
    const again = apply(closing, { type: 'closeCancelled', key, block: 3n })!
    expect([again.status, again.withdrawableAt]).toEqual(['open', undefined])
  })

  it('charges what was settled by a voucher that is not known any more', () => {
    expect(apply(fresh, { type: 'settled', key, amount: 30n, block: 2n })).toMatchObject({ settled: 30n, charged: 30n })
    const known = { ...fresh, voucher: { cumulativeAmount: 30n, signature: '0xaa' as const }, charged: 10n }
    expect(apply(known, { type: 'settled', key, amount: 30n, block: 2n })).toMatchObject({ settled: 30n, charged: 10n })
  })
})

describe('merge', () => {
  it('takes the newer view of the chain and keeps the ledger and the terms', () => {
    const known = {
      ...fresh,
      terms: { salt: '0x01' },
      charged: 7n,
      voucher: { cumulativeAmount: 9n, signature: '0xaa' as const },
    }
    const seen: Channel = { ...fresh, deposit: 150n, block: 5n, status: 'closing' }
    expect(merge(known, seen)).toMatchObject({
      deposit: 150n,
      block: 5n,
      status: 'closing',
      charged: 7n,
      voucher: known.voucher,
      terms: { salt: '0x01' },
    })
    expect(merge({ ...known, block: 9n }, seen)).toEqual({ ...known, block: 9n })
  })
})
