/** `farthing deploy`: puts the contracts on a chain. */
import { Option, type Command } from 'commander'
import { concat, encodeAbiParameters, getAddress, parseGwei, type Address, type Hex } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { demoTokenBytecode } from '../../escrow/abi/demo-token-bytecode.ts'
import { channelEscrowCreation, raidenChannelsCreation } from '../../escrow/creation.ts'
import { create, type Created } from '../creation.ts'
import { exitHelp } from '../exit.ts'
import { progress, report, table } from '../print.ts'
import { inOptions } from '../serve/as-options.ts'
import { readKeyFile } from '../serve/key.ts'
import { withKeyOptions, type SellerOptions } from '../serve/options.ts'
import { openChain } from '../serve/place.ts'
import { address, addresses, byte, countOf, given, units } from '../units.ts'

type Options = Pick<SellerOptions, 'keyFile' | 'passwordFile' | 'rpc' | 'gasPriceCap'> & { readonly json?: boolean }
type EscrowOptions = Options & { readonly challengePeriod: number }
type RaidenOptions = EscrowOptions & { readonly token: Address; readonly trusted?: readonly Address[] }
type TokenOptions = Options & {
  readonly supply: bigint
  readonly name: string
  readonly symbol: string
  readonly decimals: number
}

/** A day; in blocks where one comes every twelve seconds. */
const DAY = { seconds: 86_400, blocks: 7_200 }

export function addDeploy(program: Command): void {
  const group = program
    .command('deploy')
    .summary('put a contract on a chain')
    .description('Puts a contract on a chain, and prints where it is and the command that uses it.')
    .helpCommand(false)
  addEscrow(group)
  addRaiden(group)
  addToken(group)
}

function addEscrow(group: Command): void {
  const command = group
    .command('escrow')
    .description('ChannelEscrow, for the rail payment: any token, nobody owns it')
    .option(
      '--challenge-period <seconds>',
      'how long a sender that leaves has to wait, and a receiver may be down; 600 to 2592000',
      countOf,
      DAY.seconds,
    )
  finished(command).action(async (options: EscrowOptions) => deployEscrow(options))
}

function addRaiden(group: Command): void {
  const command = group
    .command('raiden')
    .description(
      'RaidenChannels, for the rail rdn: one token; whoever deploys it owns it, and can only change which contracts it trusts',
    )
    .requiredOption('--token <address>', 'the token that it holds', address)
    .option(
      '--challenge-period <blocks>',
      'how long a sender that leaves has to wait, and a receiver may be down; from 500',
      countOf,
      DAY.blocks,
    )
    .addOption(
      new Option(
        '--trusted <address>',
        'contract that may open channels for others; several with commas, or repeated',
      ).argParser(addresses),
    )
  finished(command).action(async (options: RaidenOptions) => deployRaiden(options))
}

function addToken(group: Command): void {
  const command = group
    .command('token')
    .description('a token for trials. Anyone can mint it, so it is worth nothing')
    .option('--supply <units>', 'base units that whoever deploys gets', units, 1_000_000_000_000n)
    .option('--name <name>', 'its name', given, 'Farthing Demo Token')
    .option('--symbol <symbol>', 'its symbol', given, 'FARDEMO')
    .option('--decimals <number>', 'base units of one token, as a power of ten: 0 to 255', byte, 6)
  finished(command).action(async (options: TokenOptions) => deployToken(options))
}

function finished(command: Command): Command {
  return withKeyOptions(command)
    .option('--json', 'print one JSON object: contract, address, transaction, block, chainId, deployer')
    .addHelpText('after', help)
}

const help = `
Examples:
  farthing deploy token --rpc http://127.0.0.1:8545 --symbol TKN --decimals 18 --supply 1000000000000000000000000
  farthing deploy escrow --rpc https://node.example --challenge-period 86400
  farthing deploy raiden --rpc https://node.example --token 0x… --challenge-period 500 --json
${exitHelp}`

async function deployEscrow(options: EscrowOptions): Promise<void> {
  const { challengePeriod } = options
  if (challengePeriod < 600 || challengePeriod > 2_592_000)
    throw new ConfigError('--challenge-period', `is ${challengePeriod}. Use seconds from 600 to 2592000`)
  const put = await putOn(options, channelEscrowCreation(BigInt(challengePeriod)))
  const serve = `farthing serve ${put.rpc} --escrow ${put.address} --token TOKEN --from-block ${put.block} --upstream URL --price UNITS`
  tell('ChannelEscrow', put, options, ['Sell with it:', `  ${serve}`])
}

async function deployRaiden(options: RaidenOptions): Promise<void> {
  const { token, challengePeriod, trusted = [] } = options
  if (challengePeriod < 500)
    throw new ConfigError('--challenge-period', `is ${challengePeriod}. Use 500 blocks or more`)
  const put = await putOn(options, raidenChannelsCreation({ token, challengePeriod, trusted }), token)
  const serve = `farthing serve ${put.rpc} --contract ${put.address} --from-block ${put.block} --upstream URL --price UNITS`
  tell('RaidenChannels', put, options, ['Sell with it:', `  ${serve}`])
}

async function deployToken(options: TokenOptions): Promise<void> {
  const { name, symbol, decimals, supply } = options
  const types = [{ type: 'string' }, { type: 'string' }, { type: 'uint8' }, { type: 'uint256' }]
  const values = encodeAbiParameters(types, [name, symbol, decimals, supply])
  const put = await putOn(options, concat([demoTokenBytecode, values]))
  const next = [`  farthing deploy escrow ${put.rpc}`, `  farthing deploy raiden ${put.rpc} --token ${put.address}`]
  tell('DemoToken', put, options, [
    'Anyone can mint it: it is for trials, and worth nothing.',
    'Take it with one of:',
    ...next,
  ])
}

type Put = Created & { readonly chainId: number; readonly deployer: Address; readonly rpc: string }

/** @param token that has to be there */
async function putOn(options: Options, code: Hex, token?: Address): Promise<Put> {
  const { rpc = [], gasPriceCap: cap = parseGwei('500') } = options
  const account = readKeyFile(options)
  const privateKey = await account.unlock()
  return inOptions(undefined, async () => {
    const { chain, chainId } = await openChain({ rpc: options.rpc, confirmations: 1 })
    if (token && (await chain.code(token)) === '0x')
      throw new ConfigError(
        '--token',
        `there is no contract at ${token} on chain ${chainId}. Use the token's address on this chain`,
      )
    const created = await create({ chain, rpc: rpc[0] ?? '', privateKey, cap, say: progress() }, code)
    return {
      ...created,
      address: getAddress(created.address),
      chainId,
      deployer: getAddress(account.address),
      rpc: shown(rpc[0] ?? ''),
    }
  })
}

/** A URL may have a key in it. */
function shown(rpc: string): string {
  const { href, origin } = new URL(rpc)
  return `--rpc ${href === `${origin}/` ? origin : '"$FARTHING_RPC"'}`
}

function tell(
  contract: string,
  { address, transaction, block, chainId, deployer }: Put,
  { json }: Options,
  next: string[],
): void {
  const facts = { contract, address, transaction, block: Number(block), chainId, deployer }
  const lines = [
    ['contract', contract],
    ['address', address],
    ['transaction', transaction],
    ['block', `${block} of chain ${chainId}`],
    ['deployer', deployer],
  ]
  report(json, facts, table(lines), ...next)
}
