/** The options that say when a server settles by itself, and how much may be unsettled. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { ConfigError } from '../../base/faults.ts'
import type { Caps } from '../../receiver/exposure.ts'
import { checkPolicy, type SettlePolicy } from '../../receiver/settle-policy.ts'
import { duration, someUnits } from '../units.ts'
import { option } from './options.ts'

export type SettlingOptions = {
  readonly settleAmount?: bigint
  readonly settleAge?: number
  readonly settleAt?: readonly string[]
  readonly settleGasShare?: number
  readonly coinPrice?: bigint
  readonly capChannel?: bigint
  readonly capSender?: bigint
  readonly capTotal?: bigint
  readonly atCap: 'settle' | 'refuse'
}

export function withSettlingOptions(command: Command): Command {
  return command
    .addOption(
      option(
        '--settle-amount <units>',
        'settle a channel when this much is unsettled (default: only by hand)',
        someUnits,
      ),
    )
    .addOption(
      option('--settle-age <time>', 'settle a channel when anything is unsettled for this long, such as 12h', duration),
    )
    .addOption(
      new Option('--settle-at <time>', 'settle every day at this time in UTC, such as 03:00; several with commas')
        .argParser(times)
        .env('FARTHING_SETTLE_AT'),
    )
    .addOption(
      option('--settle-gas-share <percent>', 'settle when gas takes at most this much of it, such as 2', share),
    )
    .addOption(
      option(
        '--coin-price <units>',
        "base units of the token that one of the chain's coins costs, for --settle-gas-share",
        someUnits,
      ),
    )
}

export function withCapOptions(command: Command): Command {
  return command
    .addOption(option('--cap-channel <units>', 'most that is delivered and not settled on one channel', someUnits))
    .addOption(option('--cap-sender <units>', 'the same, on all channels of one sender', someUnits))
    .addOption(option('--cap-total <units>', 'the same, in all', someUnits))
    .addOption(
      new Option('--at-cap <what>', 'settle from half of a cap on, or only refuse what goes beyond it')
        .choices(['settle', 'refuse'])
        .default('settle')
        .env('FARTHING_AT_CAP'),
    )
}

export function capsOf({ capChannel, capSender, capTotal, atCap }: SettlingOptions): { caps?: Caps } {
  const caps = {
    ...(capChannel !== undefined && { channel: capChannel }),
    ...(capSender !== undefined && { sender: capSender }),
    ...(capTotal !== undefined && { total: capTotal }),
  }
  return Object.keys(caps).length === 0 ? {} : { caps: { ...caps, whenReached: atCap } }
}

/** @throws {ConfigError} for one of two options that need each other */
export function policyOf(options: SettlingOptions): { settle?: SettlePolicy } {
  const { settleAmount, settleAge, settleAt, settleGasShare, coinPrice } = options
  if (settleGasShare !== undefined && coinPrice === undefined)
    throw new ConfigError('--coin-price', 'is needed for --settle-gas-share: what gas costs in the token')
  if (settleGasShare === undefined && coinPrice !== undefined)
    throw new ConfigError('--settle-gas-share', 'is needed for --coin-price: how much of it gas may take')
  const settle: SettlePolicy = {
    ...(settleAmount !== undefined && { amount: settleAmount }),
    ...(settleAge !== undefined && { ageMs: settleAge }),
    ...(settleAt !== undefined && { at: settleAt }),
    ...(settleGasShare !== undefined &&
      coinPrice !== undefined && { gas: { share: settleGasShare, coinPrice: () => coinPrice } }),
  }
  return Object.keys(settle).length === 0 ? {} : { settle }
}

/** Times of a day. */
function times(text: string): string[] {
  const all = text.split(',').map((one) => one.trim())
  try {
    checkPolicy({ at: all })
  } catch {
    throw new InvalidArgumentError('Use times of a day in UTC, such as 03:00 or 03:00,15:30.')
  }
  return all
}

/** A part of one, from percent with at most four decimals. */
function share(text: string): number {
  const percent = Number(text)
  if (!/^[0-9]{1,3}(\.[0-9]{1,4})?$/.test(text) || percent === 0 || percent > 100)
    throw new InvalidArgumentError('Use percent, such as 2 or 0.5; 100 at most.')
  return percent / 100
}
