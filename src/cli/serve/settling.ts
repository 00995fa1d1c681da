/** The options that say when a server settles by itself. */
import { InvalidArgumentError, type Command } from 'commander'
import { ConfigError } from '../../base/faults.ts'
import type { SettlePolicy } from '../../receiver/settle-policy.ts'
import { duration, someUnits } from '../units.ts'
import { listOption, option } from './options.ts'

export type SettlingOptions = {
  readonly settleAmount?: bigint
  readonly settleAge?: number
  readonly settleAt?: readonly string[]
  readonly settleGasShare?: number
  readonly coinPrice?: bigint
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
    .addOption(listOption('--settle-at <time>', 'settle every day at this time in UTC, such as 03:00'))
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

/** A part of one, from percent with at most four decimals. */
function share(text: string): number {
  const percent = Number(text)
  if (!/^[0-9]{1,3}(\.[0-9]{1,4})?$/.test(text) || percent === 0 || percent > 100)
    throw new InvalidArgumentError('Use percent, such as 2 or 0.5; 100 at most.')
  return percent / 100
}
