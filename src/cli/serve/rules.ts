/** The options that say how a server deals with its money: when it settles, what may be at risk, for whom it pays gas. */
import type { Command } from 'commander'
import type { ReceiverConfig } from '../../receiver/receiver.ts'
import { relayOf, withRelayOptions, type RelayOptions } from './relaying.ts'
import { capsOf, policyOf, withCapOptions, withSettlingOptions, type SettlingOptions } from './settling.ts'

export type RuleOptions = SettlingOptions & RelayOptions

export type Rules = Pick<ReceiverConfig, 'settle' | 'caps' | 'limits'>

export function withRuleOptions(command: Command): Command {
  return withRelayOptions(withCapOptions(withSettlingOptions(command)))
}

/** @throws {ConfigError} for one of two options that need each other */
export function rulesOf(options: RuleOptions): Rules {
  return { ...policyOf(options), ...capsOf(options), ...relayOf(options) }
}
