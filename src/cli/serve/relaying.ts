/** The options that say up to what a server sends deposits that its senders have signed. */
import type { Command } from 'commander'
import { ConfigError } from '../../base/faults.ts'
import type { RelayLimits } from '../../receiver/relay-state.ts'
import { countOf, someUnits } from '../units.ts'
import { option } from './options.ts'

export type RelayOptions = { readonly relayFrom?: bigint; readonly relayPerHour?: number }

export function withRelayOptions(command: Command): Command {
  return command
    .addOption(
      option(
        '--relay-from <units>',
        'send deposits that senders have only signed, from this many base units on, and pay the gas (default: none)',
        someUnits,
      ),
    )
    .addOption(option('--relay-per-hour <count>', 'most of them in an hour (default: 60)', countOf))
}

/** @throws {ConfigError} for a bound on what is not done */
export function relayOf({ relayFrom, relayPerHour }: RelayOptions): { limits?: { relay: RelayLimits } } {
  if (relayFrom === undefined) {
    if (relayPerHour === undefined) return {}
    throw new ConfigError('--relay-from', 'is needed for --relay-per-hour: the least deposit that is worth its gas')
  }
  return { limits: { relay: { minDeposit: relayFrom, ...(relayPerHour !== undefined && { perHour: relayPerHour }) } } }
}
