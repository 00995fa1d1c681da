/** Contracts of a few bytes, for tests that need a fact on chain and no escrow. */
import { concatHex, numberToHex, pad, toHex, type Address, type Hex, type Log } from 'viem'
import type { ChannelKey } from '../../src/channel/channel.ts'
import type { ChainEvent } from '../../src/channel/events.ts'
import type { Followed } from '../../src/chain/advance.ts'

/** Emits a log whose two topics are the first two words it is called with. */
export const emitterCode: Hex = '0x366000600037602051600051604036036040a200'

/** Reverts with what it is called with. */
export const reverterCode: Hex = '0x366000600037366000fd'

/** Takes every call that has value or data, and uses up what gas it gets. */
export const burnerCode: Hex = '0x5b600056'

export const emitterAt: Address = '0x00000000000000000000000000000000000e0001'
export const receiver: Address = '0x00000000000000000000000000000000000000b0'

/** Tells of a settlement of `amount` on the channel of the {@link emitterEscrow} with this `id`. */
export function emitCall(id: number, to: Address = receiver): { to: Address; data: Hex } {
  return { to: emitterAt, data: concatHex([toHex(id, { size: 32 }), pad(to, { size: 32 })]) }
}

/** An escrow whose only event is a settlement: the first topic is the amount, the second the receiver. */
export const emitterEscrow: Followed['escrow'] = {
  topics: (of) => [null, 'receiver' in of ? pad(of.receiver, { size: 32 }) : null],
  event: (log) => ({ type: 'settled', key: KEY, amount: BigInt(log.topics[0]!), block: log.blockNumber! }),
}

const KEY: ChannelKey = `eip155:31337:${emitterAt}:${numberToHex(1, { size: 32 })}`

/** Which events these are, and where. */
export function namesOf(events: readonly ChainEvent[]): string[] {
  return events.map((event) => `${event.type === 'settled' ? event.amount : event.type}@${event.block}`)
}

export function namesOfLogs(logs: readonly Pick<Log, 'topics' | 'blockNumber'>[]): string[] {
  return logs.map(({ topics, blockNumber }) => `${BigInt(topics[0]!)}@${blockNumber!}`)
}
