/** The options of commands that act for a receiver: its key, its chain, its contracts, its state. */
import { Option, type Command } from 'commander'
import type { Address } from 'viem'
import type { LogLevel } from '../../base/log.ts'
import { address, blockNumber, countOf, given, gwei, list } from '../units.ts'

export type SellerOptions = {
  readonly keyFile?: string
  readonly passwordFile?: string
  /** Who is paid, where the key is the one of its operator. */
  readonly receiver?: Address
  readonly rpc?: readonly string[]
  readonly rail?: 'payment' | 'rdn' | 'both'
  readonly escrow?: Address
  readonly contract?: Address
  readonly token?: Address
  readonly stateFile?: string
  readonly confirmations?: number
  readonly fromBlock?: bigint
  /** Wei per unit of gas. */
  readonly gasPriceCap?: bigint
  readonly logLevel: LogLevel
}

/** An option that may also be said in the environment, as `FARTHING_…`. */
export function option(flags: string, description: string, read: (text: string) => unknown = given): Option {
  return inEnvironment(new Option(flags, description).argParser(read))
}

/** The same, for one that may be repeated or have commas. */
export function listOption(flags: string, description: string): Option {
  return inEnvironment(new Option(flags, `${description}; several with commas, or repeated`).argParser(list))
}

function inEnvironment(option: Option): Option {
  return option.env(`FARTHING_${option.name().replaceAll('-', '_').toUpperCase()}`)
}

/** The key that signs and pays for gas, and the node. */
export function withKeyOptions(command: Command): Command {
  return command
    .addOption(
      option('--key-file <file>', 'key of the receiver, a V3 keystore (default: the one of `farthing keys new`)'),
    )
    .addOption(option('--password-file <file>', 'its password, in a file that only you can read'))
    .addOption(listOption('--rpc <url>', 'node of the chain'))
    .addOption(option('--gas-price-cap <gwei>', 'most to pay for a unit of gas (default: 500)', gwei))
}

/** @param command of a receiver that has a state file */
export function withSellerOptions(command: Command): Command {
  return withKeyOptions(command)
    .addOption(
      option(
        '--receiver <address>',
        'who is paid, where the key is not its own but that of its operator (default: the address of the key)',
        address,
      ),
    )
    .addOption(
      new Option('--rail <name>', 'protocol to be paid by (default: both where both contracts are known)')
        .choices(['payment', 'rdn', 'both'])
        .env('FARTHING_RAIL'),
    )
    .addOption(option('--escrow <address>', 'ChannelEscrow contract, for the rail payment', address))
    .addOption(option('--contract <address>', 'RaidenChannels contract, for the rail rdn', address))
    .addOption(option('--token <address>', 'token to be paid in (default: the one of --contract)', address))
    .addOption(option('--state-file <file>', 'its channels (default: one per chain, contract and receiver)'))
    .addOption(
      option(
        '--confirmations <blocks>',
        'depth at which a deposit counts (default: 3; 1 on a chain for development)',
        countOf,
      ),
    )
    .addOption(
      option(
        '--from-block <number>',
        'block of the deployment, where the first start begins to read (default: 0)',
        blockNumber,
      ),
    )
    .addOption(
      new Option('--log-level <level>', 'least important lines to log on standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn')
        .env('FARTHING_LOG_LEVEL'),
    )
}
