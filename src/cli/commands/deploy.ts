/** `farthing deploy`: puts the contracts on a chain. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { concat, encodeAbiParameters, getAddress, isHash, parseGwei, type Address, type Hash, type Hex } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { lower } from '../../base/read.ts'
import { demoTokenBytecode } from '../../escrow/abi/demo-token-bytecode.ts'
import { channelEscrowCreation, raidenChannelsCreation } from '../../escrow/creation.ts'
import { CHALLENGE_PERIOD, deploymentOn, escrowAddress, escrowCreationCall } from '../../escrow/deployments.ts'
import { create, createBy, type Created } from '../creation.ts'
import { exitHelp } from '../exit.ts'
import { progress, report, table } from '../print.ts'
import { inOptions } from '../serve/as-options.ts'
import { readKeyFile } from '../serve/key.ts'
import { withKeyOptions, type SellerOptions } from '../serve/options.ts'
import { openChain } from '../serve/place.ts'
import { address, addresses, byte, countOf, given, units } from '../units.ts'

type Options = Pick<SellerOptions, 'keyFile' | 'passwordFile' | 'rpc' | 'gasPriceCap'> & { readonly json?: boolean }
type EscrowOptions = Options & {
  readonly challengePeriod: number
  readonly salt?: Hash
  readonly plain?: boolean
  readonly proxy?: boolean
  readonly dryRun?: boolean
}
type RaidenOptions = Options & {
  readonly challengePeriod: number
  readonly token: Address
  readonly trusted?: readonly Address[]
}
type TokenOptions = Options & {
  readonly supply: bigint
  readonly name: string
  readonly symbol: string
  readonly decimals: number
}

/** A day, where a block comes every twelve seconds. */
const DAY_BLOCKS = 7_200

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
    .description(
      'ChannelEscrow, for the rail payment: any token, nobody owns it. With the same challenge period and salt it has one address on every chain; if it is there already, nothing is sent',
    )
    .option(
      '--challenge-period <seconds>',
      'how long a sender that leaves has to wait, and a receiver may be down; 600 to 2592000',
      countOf,
      Number(CHALLENGE_PERIOD),
    )
    .option('--salt <hex>', '32 bytes, for another escrow that is otherwise the same (default: zeros)', hash)
    .option('--plain', 'an address of its own, which follows from the key: for chains without the deployment proxy')
    .option('--proxy', 'put the deployment proxy on a chain that has none, for a hundredth of its coin')
    .option('--dry-run', 'send nothing: say where it would be, and whether it is there')
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
      DAY_BLOCKS,
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
    .option('--json', 'print one JSON object: contract, address, chainId, transaction, block, deployer, there')
    .addHelpText('after', help)
}

const help = `
Examples:
  farthing deploy token --rpc http://127.0.0.1:8545 --symbol TKN --decimals 18 --supply 1000000000000000000000000
  farthing deploy escrow --rpc https://node.example --challenge-period 86400
  farthing deploy raiden --rpc https://node.example --token 0x… --challenge-period 500 --json
${exitHelp}`

function hash(text: string): Hash {
  if (!isHash(text)) throw new InvalidArgumentError('Use 32 bytes: 0x and 64 hex digits.')
  return text
}

async function deployEscrow(options: EscrowOptions): Promise<void> {
  const { challengePeriod } = options
  if (challengePeriod < 600 || challengePeriod > 2_592_000)
    throw new ConfigError('--challenge-period', `is ${challengePeriod}. Use seconds from 600 to 2592000`)
  const put = options.plain
    ? await putOn(options, channelEscrowCreation(BigInt(challengePeriod)))
    : await putEscrow(options)
  const from = put.block === undefined ? '' : ` --from-block ${put.block}`
  const serve = `farthing serve ${put.rpc} --escrow ${put.address} --token TOKEN${from} --upstream URL --price UNITS`
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

/** Without a transaction: it was there, or, if `missing`, it is not. */
type Put = Pick<Created, 'address'> &
  Partial<Created> & {
    readonly chainId: number
    readonly deployer?: Address
    readonly rpc: string
    readonly missing?: boolean
  }

/** At the address that it has on every chain. The key is not looked at before it is needed. */
async function putEscrow(options: EscrowOptions): Promise<Put> {
  const { rpc = [], gasPriceCap: cap = parseGwei('500'), salt, proxy = false, dryRun } = options
  const period = BigInt(options.challengePeriod)
  const address = getAddress(escrowAddress(period, salt))
  return inOptions(undefined, async () => {
    const { chain, chainId } = await openChain({ rpc: options.rpc, confirmations: 1 })
    const place = { address, chainId, rpc: shown(rpc[0] ?? '') }
    if ((await chain.code(address)) !== '0x') {
      const { address: usual, fromBlock } = deploymentOn(chainId)
      return { ...place, ...(fromBlock !== undefined && usual === lower(address) && { block: fromBlock }) }
    }
    if (dryRun) return { ...place, missing: true }
    const account = readKeyFile(options)
    const privateKey = await account.unlock()
    const creation = { chain, privateKey, cap, say: progress(), proxy }
    const created = await createBy(escrowCreationCall(period, salt), address, creation)
    return { ...place, ...(created && { ...created, address, deployer: getAddress(account.address) }) }
  })
}

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
  { address, transaction, block, chainId, deployer, missing = false }: Put,
  { json }: Options,
  next: string[],
): void {
  const facts = {
    ...{ contract, address, chainId },
    transaction: transaction ?? null,
    block: block === undefined ? null : Number(block),
    deployer: deployer ?? null,
    there: !missing,
  }
  const state = missing ? 'not there yet' : 'there already, nothing was sent'
  const sent = [
    ['transaction', `${transaction}`],
    ['block', `${block} of chain ${chainId}`],
    ['deployer', `${deployer}`],
  ]
  const told = transaction ? sent : [['on chain', `${chainId}: ${state}`]]
  report(json, facts, table([['contract', contract], ['address', address], ...told]), ...(missing ? [] : next))
}
