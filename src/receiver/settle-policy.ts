/** When a receiver settles without being told: the rules, as they are set. */
import type { Address } from 'viem'
import { ConfigError } from '../base/faults.ts'

/** Nothing set: only by hand. */
export type SettlePolicy = {
  /** As soon as this many base units are unsettled. */
  readonly amount?: bigint
  /** As soon as anything has been unsettled for this long. */
  readonly ageMs?: number
  /** Every day at these times, `HH:MM` in UTC. */
  readonly at?: readonly string[]
  /** As soon as the gas costs no more than a share of what is taken. */
  readonly gas?: GasShare
}

export type GasShare = {
  /** More than 0, and 1 at most. 0.02: settle as soon as gas takes a fiftieth. */
  readonly share: number
  /** Base units of a token that one coin of the chain (10^18 wei) costs; asked every now and then. */
  readonly coinPrice: (token: Address) => bigint | Promise<bigint>
}

/** @throws {ConfigError} naming the rule that cannot be meant */
export function checkPolicy({ amount, ageMs, at = [], gas }: SettlePolicy): void {
  if (amount !== undefined && amount <= 0n) throw new ConfigError('settle.amount', 'must be more than 0 base units')
  if (ageMs !== undefined && !(ageMs > 0)) throw new ConfigError('settle.ageMs', 'must be more than 0 milliseconds')
  for (const time of at) minutesOf(time)
  if (gas && !(gas.share > 0 && gas.share <= 1))
    throw new ConfigError('settle.gas.share', `is ${gas.share}. Use a share such as 0.02, more than 0 and 1 at most`)
}

const DAY_MINUTES = 1_440

/** The newest of these times of a day that is not after `nowMs`, in milliseconds since 1970. */
export function lastTime(at: readonly string[], nowMs: number): number {
  const minute = Math.floor(nowMs / 60_000)
  const ago = at.map((time) => (((minute - minutesOf(time)) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES)
  return (minute - Math.min(...ago)) * 60_000
}

function minutesOf(time: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
  if (hours === undefined)
    throw new ConfigError('settle.at', `"${time}" is no time of a day. Write it like 03:30, in UTC`)
  return Number(hours) * 60 + Number(minutes)
}
