/** Channels, changes and openings for tests of stores. */
import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { channelKey, type Channel } from '../../src/channel/channel.ts'
import type { Store } from '../../src/store/store.ts'

export type Opened = {
  readonly store: Store
  /** Opens the same store again. The suite has closed it; absent where nothing outlives a close. */
  readonly reopen?: () => Promise<Store>
  readonly cleanup: () => Promise<void> | void
}

/** Opens a store for one test. `reopened` closes it and opens it again, if that can be done. */
export async function begin(open: () => Promise<Opened>) {
  const { store, reopen, cleanup } = await open()
  let current = store
  onTestFinished(async () => {
    await current.close()
    await cleanup()
  })
  async function reopened(): Promise<Store | undefined> {
    if (!reopen) return undefined
    await current.close()
    current = await reopen()
    return current
  }
  return { store, reopened }
}

/** A channel that differs from others in its id. */
export function channelOf(number: number, fields: Partial<Channel> = {}): Channel {
  const [escrow, id] = [hex(0xe5c, 20), hex(number, 32)]
  return {
    key: channelKey(8453, escrow, id),
    id,
    chainId: 8453,
    escrow,
    sender: hex(1, 20),
    receiver: hex(2, 20),
    token: hex(3, 20),
    signer: hex(4, 20),
    terms: {},
    status: 'open',
    deposit: 1_000_000n,
    settled: 0n,
    block: 17n,
    charged: 0n,
    ...fields,
  }
}

/** A change that charges one base unit, and opens the channel if it is not there. */
export const plusOne =
  (number: number) =>
  (current: Channel | undefined): Channel => {
    const channel = current ?? channelOf(number)
    return { ...channel, charged: channel.charged + 1n }
  }

export async function listed(store: Store): Promise<readonly Channel[]> {
  const channels: Channel[] = []
  for await (const channel of store.list()) channels.push(channel)
  return channels
}

/** Waits until the clock has moved on, and returns what it shows. */
export async function nextMillisecond(): Promise<number> {
  const start = Date.now()
  while (Date.now() <= start) await turn()
  return Date.now()
}

const bytes = (least: number, most = least) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((all) => `0x${Buffer.from(all).toString('hex')}` as const)

const amount = fc.oneof(fc.bigInt(0n, 2n ** 128n - 1n), fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n + 1n))

/** Any UTF-16 there is: NUL, lone surrogates, quotes. */
export const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) })

const anyTerms = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value))),
  fc.dictionary(
    anyText,
    fc.oneof(
      fc.constant(undefined),
      bytes(32),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    ),
  ),
)

export const anyChannel: fc.Arbitrary<Channel> = fc
  .record(
    {
      id: bytes(32),
      chainId: fc.maxSafeNat(),
      escrow: bytes(20),
      sender: bytes(20),
      receiver: bytes(20),
      token: bytes(20),
      signer: bytes(20),
      terms: anyTerms,
      status: fc.constantFrom('open', 'closing', 'closed'),
      deposit: amount,
      settled: amount,
      block: amount,
      charged: amount,
      logIndex: fc.nat(),
      closeStated: amount,
      closeAgreed: amount,
      caughtUp: fc.nat(),
      withdrawableAt: fc.oneof(fc.record({ block: amount }), fc.record({ time: amount })),
      voucher: fc.record({ cumulativeAmount: amount, signature: bytes(0, 300) }),
    },
    {
      requiredKeys: [
        'id',
        'chainId',
        'escrow',
        'sender',
        'receiver',
        'token',
        'signer',
        'terms',
        'status',
        'deposit',
        'settled',
        'block',
        'charged',
      ],
    },
  )
  .map((fields) => ({ ...fields, key: channelKey(fields.chainId, fields.escrow, fields.id) }))

export function hex(number: number, size: number): `0x${string}` {
  return `0x${number.toString(16).padStart(2 * size, '0')}`
}
