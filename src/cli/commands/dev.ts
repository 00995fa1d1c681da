/** `farthing dev`: everything that a first purchase needs, on this machine. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Command } from 'commander'
import { getAddress } from 'viem'
import { ChainUnavailableError, ConfigError } from '../../base/faults.ts'
import type { Log } from '../../base/log.ts'
import { engineName } from '../../base/secp256k1.ts'
import { createProxy, type PaidServer } from '../../proxy/proxy.ts'
import { createGateway } from '../../gateway/gateway.ts'
import { payment, raiden, rdn, session } from '../../rails.ts'
import { createReceiver, rail, type Receiver } from '../../receiver/index.ts'
import { memory } from '../../store/memory.ts'
import { shortcoming } from '../doctor/engine.ts'
import { getAnvil } from '../dev/get-anvil.ts'
import { goods, sampleRoutes } from '../dev/resources.ts'
import { stopRequested } from '../dev/stop.ts'
import { exitHelp } from '../exit.ts'
import { startLocalChain, type LocalChain } from '../local-chain.ts'
import { out, outJson, printable, table, warn } from '../print.ts'
import { announceRun } from '../running.ts'
import { port } from '../units.ts'
import { version } from '../version.ts'

type Options = { readonly port?: number; readonly chainPort: number; readonly json?: boolean }

/** Tried in turn when no port is named. */
const PORTS = [4020, 4021, 4022, 4023, 4024, 4025, 4026, 4027, 4028, 4029, 0] as const

export function addDev(program: Command): void {
  program
    .command('dev')
    .summary('start a local chain and a receiver that sells samples')
    .description(
      'Starts a local chain with the escrow contracts and a token, and a receiver that sells samples on it by both protocols. Nothing leaves this machine. Ctrl-C stops everything.',
    )
    .option('--port <number>', 'port of the receiver (default: 4020, or the next one that is free)', port)
    .option('--chain-port <number>', 'port of the chain (default: a free one)', port, 0)
    .option('--json', 'print one JSON line when ready: url, rpc, chainId, token, escrow, raiden, receiver, accounts')
    .addHelpText('after', help)
    .action(async (options: Options) => dev(options))
}

const help = `
The chain is anvil: ANVIL_BIN, or the one in node_modules or on the PATH, or fetched from npm with npx. The accounts
hold 1,000 tokens and 10,000 coins each; their keys are public, so never use them for real money. Everything is
forgotten at the end. It also ends with the program that started it, unless its output goes to a file.

Examples:
  farthing dev
  farthing dev --port 8080 --chain-port 8545
  farthing dev --json
${exitHelp}`

async function dev(options: Options): Promise<void> {
  const bin = await getAnvil(warn)
  const world = await startLocalChain({ bin, port: options.chainPort, pollMs: 100 })
  const stop = stopRequested(world.anvil.pid)
  try {
    const ended = await sell(world, stop, options)
    if (ended === 'chain gone')
      throw new ChainUnavailableError('The local chain has ended by itself. Start farthing dev again.')
  } finally {
    await world.anvil.stop()
  }
}

async function sell<T>(world: LocalChain, stop: Promise<T>, options: Options): Promise<T> {
  const { receiver, buyers } = await startReceiver(world)
  const routes = sampleRoutes(world.token)
  const mounts = [createGateway(receiver)]
  const proxy = createProxy({ receiver, routes, mounts, graceMs: 2_000, ...(!options.json && { onAnswer: tell }) })
  try {
    const url = await listen(proxy, options.port)
    const { chainId, escrow, raiden, token, anvil } = world
    const [buyer] = buyers
    if (!buyer) throw new Error('anvil has too few accounts')
    const forget = announceRun({ url, rpc: anvil.url, chainId, escrow, raiden, token, buyer })
    try {
      if (options.json) {
        outJson({ url, rpc: anvil.url, chainId, ...placesOf(world, receiver), accounts: buyers })
      } else {
        out(welcome(world, receiver, url, buyer.address, buyers.length))
      }
      return await stop
    } finally {
      forget()
    }
  } finally {
    await proxy.close()
    await receiver.stop()
  }
}

function placesOf({ token, escrow, raiden }: LocalChain, receiver: Receiver) {
  const places = { token, escrow, raiden, receiver: receiver.address }
  return Object.fromEntries(Object.entries(places).map(([name, address]) => [name, getAddress(address)]))
}

/** The first account deployed the contracts, the second is paid, the others buy. */
async function startReceiver(world: LocalChain) {
  const [, paid, ...buyers] = world.accounts
  if (!paid) throw new Error('anvil has too few accounts')
  const { chainId, token, chain } = world
  const rails = [
    rail({ dialect: payment({ realm: 'farthing dev' }), escrow: session, chainId, address: world.escrow, token }),
    rail({ dialect: rdn(), escrow: raiden, chainId, address: world.raiden, token }),
  ]
  const receiver = createReceiver({ wallet: world.wallet(paid), chain, store: memory(), rails, log: complain })
  await receiver.start()
  return { receiver, buyers }
}

const complain: Log = (level, event, details = {}) => {
  if (level !== 'error') return
  warn(`farthing: ${event}${'message' in details ? `: ${details['message']}` : ''}`)
}

async function listen(proxy: PaidServer, wanted: number | undefined): Promise<string> {
  for (const candidate of wanted === undefined ? PORTS : [wanted]) {
    try {
      return await proxy.listen(candidate)
    } catch (error) {
      if (wanted !== undefined || !(error instanceof ConfigError)) throw error
    }
  }
  throw new ConfigError('--port', 'no port is free')
}

/** The access log. */
function tell(request: IncomingMessage, response: ServerResponse): void {
  const paid = ['payment-receipt', 'rdn-cost'].some((name) => response.hasHeader(name)) ? '  paid' : ''
  out(`${response.statusCode}  ${request.method ?? ''} ${printable(request.url ?? '')}${paid}`)
}

function welcome(
  { anvil, chainId, escrow, raiden, token }: LocalChain,
  receiver: Receiver,
  url: string,
  buyer: string,
  accounts: number,
) {
  const facts = [
    ['receiver', `${url}   paid to ${receiver.address}`],
    ['chain', `${anvil.url}   anvil, chain id ${chainId}`],
    ['escrow', `${escrow}   protocol payment`],
    ['raiden', `${raiden}   protocol rdn, REST interface at ${url}/api/1`],
    ['token', `${token}   FARDEMO, 6 decimals`],
    ['accounts', `${accounts} that hold 1,000 FARDEMO each; farthing get uses ${buyer}`],
    ...(shortcoming === undefined ? [] : [['signatures', `${engineName}: ${shortcoming}; see farthing doctor`]]),
  ]
  const rows = goods.map(({ path, price, what }) => [`  ${path}`, price.padStart(4), what])
  return `farthing dev ${version()}

${table(facts)}

For sale, in base units of the token:
${table(rows)}

Buy something, in another terminal:

  npx farthing get ${url}/echofix/foo

Ctrl-C stops everything.
`
}
