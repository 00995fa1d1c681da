/**
 * Which chain, contracts, account and state a command uses.
 *
 * An option wins. Where a `farthing dev` sells at the address that is bought
 * from, its chain and account are meant, whatever the environment says. Then
 * comes the environment; and a command that names no chain at all means the
 * `farthing dev` of this machine.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import type { Address } from 'viem'
import { MalformedPaymentError } from '../base/errors.ts'
import { ConfigError } from '../base/faults.ts'
import * as read from '../base/read.ts'
import { deploymentOn } from '../escrow/deployments.ts'
import { createChain } from '../chain/rpc.ts'
import type { Chain } from '../chain/chain.ts'
import type { AnyProtocol } from '../sender/context.ts'
import { accountAt, accountOf, type Account } from './account.ts'
import { homeFolder, makePrivateFolder } from './home.ts'
import { devAt, isLoopback, runningDevs, type DevRun } from './running.ts'

/** As they come from the command line. */
export type ChainOptions = {
  readonly rpc?: string
  readonly escrow?: readonly string[]
  readonly token?: readonly string[]
  readonly key?: string
  readonly passwordFile?: string
  readonly state?: string
}

export type Settings = {
  readonly chain: Chain
  readonly chainId: number
  readonly escrows: readonly Address[]
  readonly tokens: readonly Address[]
  readonly account: Account
  /** The file with the account's channels. */
  readonly state: string
  /** Default: all that a client speaks. */
  readonly protocols?: readonly AnyProtocol[]
  /** The run whose chain this is. */
  readonly dev?: DevRun
}

/** Adds the options that say whose money is spent on which chain. */
export function withChainOptions(command: Command): Command {
  return command
    .option('--key <file>', 'encrypted key of the account (FARTHING_KEY; default: the one of `farthing keys new`)')
    .option('--password-file <file>', 'its password, in a file that only you can read (FARTHING_PASSWORD_FILE)')
    .option('--rpc <url>', 'node of the chain (FARTHING_RPC)')
    .addOption(listOption('--escrow <address>', 'escrow contract that may hold deposits (FARTHING_ESCROW)'))
    .addOption(listOption('--token <address>', 'token that may be spent (FARTHING_TOKEN)'))
    .option('--state <file>', "the account's channels (FARTHING_STATE)")
}

function listOption(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`).argParser(
    (value: string, earlier: string[] | undefined) => [...(earlier ?? []), ...value.split(',')],
  )
}

/** @throws {ConfigError} naming the option that is missing or wrong. @throws {ChainUnavailableError} */
export async function readSettings(options: ChainOptions, url?: URL): Promise<Settings> {
  const { env } = process
  const named = options.rpc ?? env['FARTHING_RPC']
  const dev = url ? devAt(url) : named === undefined ? runningDevs()[0] : undefined
  const rpc = options.rpc ?? dev?.rpc ?? named
  if (rpc === undefined) throw new ConfigError('--rpc', missing(url))
  const chain = chainAt(rpc)
  const escrows =
    options.escrow ?? (dev ? [dev.escrow, ...(dev.raiden ? [dev.raiden] : [])] : env['FARTHING_ESCROW']?.split(','))
  const tokens = options.token ?? (dev ? [dev.token] : env['FARTHING_TOKEN']?.split(','))
  const account = accountFor(options, dev)
  const chainId = await chain.id()
  return {
    chain,
    chainId,
    escrows: escrows ? addresses(escrows, '--escrow') : [await usualEscrow(chain, chainId)],
    tokens: addresses(tokens, '--token'),
    account,
    state: stateFor(options, dev, `${chainId}-${account.address}.db`),
    ...(dev && { dev }),
  }
}

/**
 * How deep a deposit must be is for the receiver to say; the sender knows that it sent it. A chain on this machine
 * makes a block when there is something to put in, so it is looked at often.
 */
function chainAt(rpc: string): Chain {
  const local = URL.canParse(rpc) && isLoopback(new URL(rpc))
  return createChain({ rpc, confirmations: 1, ...(local && { pollMs: 100 }) })
}

/** Its address says what its code is, so it can be trusted unseen. @throws {ConfigError} if it is not there */
async function usualEscrow(chain: Chain, chainId: number): Promise<Address> {
  const { address } = deploymentOn(chainId)
  if ((await chain.code(address)) !== '0x') return address
  throw new ConfigError(
    '--escrow',
    `is needed: the address of a contract that you trust. The usual one, ${address}, is not on chain ${chainId}`,
  )
}

function missing(url: URL | undefined): string {
  const what = url
    ? `${url.origin} is not a \`farthing dev\` of this machine`
    : 'no `farthing dev` runs on this machine'
  return `is needed: ${what}. Name a node of the chain, its escrow contract and a token, with options or in the environment`
}

function accountFor({ key, passwordFile }: ChainOptions, dev: DevRun | undefined): Account {
  const { FARTHING_KEY: fromEnvironment, FARTHING_PASSWORD_FILE: password } = process.env
  if (key !== undefined) return accountAt(key, passwordFile ?? password, '--key')
  if (dev) return accountOf(dev.buyer.privateKey)
  if (fromEnvironment) return accountAt(fromEnvironment, passwordFile ?? password, 'FARTHING_KEY')
  const usual = usualKey()
  if (existsSync(usual)) return accountAt(usual, passwordFile ?? password, '--key')
  throw new ConfigError('--key', 'is needed: there is no account yet. Make one with `farthing keys new`')
}

/** Where `farthing keys new` puts the key if it is not told. */
export function usualKey(): string {
  return join(homeFolder(), 'key.json')
}

function stateFor({ state }: ChainOptions, dev: DevRun | undefined, name: string): string {
  if (state !== undefined) return state
  if (dev) return join(dev.folder, name)
  return process.env['FARTHING_STATE'] ?? join(makePrivateFolder(homeFolder()), name)
}

function addresses(given: readonly string[] | undefined, field: string): Address[] {
  if (!given || given.length === 0) throw new ConfigError(field, 'is needed: the address of a contract that you trust')
  return given.map((text) => {
    try {
      return read.address(text.trim(), field)
    } catch (error) {
      if (error instanceof MalformedPaymentError) throw new ConfigError(field, `${text} is not an address`)
      throw error
    }
  })
}
