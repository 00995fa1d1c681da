/** `farthing serve`: a server that is paid for each request, without writing code. */
import type { Command } from 'commander'
import { getAddress, type Address, type Hex } from 'viem'
import { jsonLog, type Log } from '../../base/log.ts'
import type { TlsOptions } from '../../proxy/proxy.ts'
import { createReceiver } from '../../receiver/receiver.ts'
import type { Store } from '../../store/store.ts'
import { tellEngine } from '../doctor/engine.ts'
import { exitHelp } from '../exit.ts'
import { progress, report, type Say } from '../print.ts'
import { alarmListeners, withAlarmOptions, type AlarmOptions, type Listeners } from '../serve/alarms.ts'
import { inOptions } from '../serve/as-options.ts'
import { feedOf, withFeed, withFeedOptions, type FeedOptions } from '../serve/feed.ts'
import { goodsOf, type Goods, type GoodsOptions } from '../serve/goods.ts'
import { readKeyFile } from '../serve/key.ts'
import { listOption, option, withSellerOptions, type SellerOptions } from '../serve/options.ts'
import { findPlace, type Place } from '../serve/place.ts'
import { readRest, restMount, type Rest, type RestOptions } from '../serve/rest.ts'
import { rulesOf, withRuleOptions, type RuleOptions, type Rules } from '../serve/rules.ts'
import { walletOf, withStateFile } from '../serve/seller.ts'
import { sellUntilStopped } from '../serve/shop.ts'
import { listenToSignals, type Signals } from '../serve/signals.ts'
import { usualStateFile } from '../serve/state-file.ts'
import { wallFor } from '../serve/wall.ts'
import { port, someUnits } from '../units.ts'

type Options = SellerOptions &
  GoodsOptions &
  RestOptions &
  RuleOptions &
  AlarmOptions &
  FeedOptions & {
    readonly host: string
    readonly port: number
    readonly tlsCert?: string
    readonly tlsKey?: string
    readonly paywall: boolean
    readonly restored?: boolean
    readonly json?: boolean
  }

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .summary('sell an upstream, files or texts over HTTP')
    .description(
      'Starts a server that is paid for each request: for what a file with routes says, or for one upstream or folder.',
    )
    .argument('[config]', 'JSON file with routes, their prices and their content')
    .addOption(option('--upstream <url>', 'sell what this server answers, whole'))
    .addOption(option('--files <folder>', 'sell the files in this folder'))
    .addOption(option('--price <units>', 'base units for each request, with --upstream and --files', someUnits))
  const seller = withRuleOptions(withServerOptions(withSellerOptions(command)))
  withRestOptions(withFeedOptions(withAlarmOptions(seller)))
    .option(
      '--restored',
      'for the first start after the state file was put back from a backup: what its senders have authorized since counts as served',
    )
    .option(
      '--no-paywall',
      'answer browsers that do not pay with a page of words, instead of one that pays by rdn with a wallet',
    )
    .option('--json', 'print one JSON line when ready: url, chainId, receiver, rails, rest, stateFile')
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: Options) => serve(file, options))
}

function withServerOptions(command: Command): Command {
  return command
    .addOption(option('--host <address>', 'address to listen at').default('127.0.0.1'))
    .addOption(option('--port <number>', 'port to listen at; 0 takes a free one', port).default(4020))
    .addOption(option('--tls-cert <file>', 'certificate in PEM, for https'))
    .addOption(option('--tls-key <file>', 'its key, in a file that only you can read'))
}

function withRestOptions(command: Command): Command {
  return command
    .option('--no-rest', 'no REST interface at /api/1, through which channels of the rail rdn are closed')
    .addOption(
      option(
        '--users-file <file>',
        'who may administer over REST: lines of `farthing keys password-hash` (default: nobody)',
      ),
    )
    .addOption(
      listOption(
        '--admin-host <name>',
        'host name under which administration is served beside localhost and IP addresses',
      ),
    )
    .option('--close-without-proof', closeWithoutProof)
}

const closeWithoutProof =
  'agree to close a channel for anyone who names its last balance, as servers of 2018 did. Risk: a stranger can guess a balance and end the payments of others; no tokens are lost'

const help = `
A file with routes (relative paths start at its folder, prices are base units of the token):
  { "routes": {
      "GET /echofix/:text": { "price": "5", "text": "hello" },
      "GET /files/*":       { "price": "2", "files": "./public" },
      "/doc/*":             { "price": { "GET": "5", "POST": "50" }, "upstream": "https://doc.example" },
      "GET /health":        { "free": true, "json": { "ok": true } }
  } }

SIGHUP reads the file and the certificate again; what is wrong with them is logged, and the server goes on with what it
has. SIGINT and SIGTERM let running requests finish. One process at a time uses a state file, and one program a key.

Examples:
  farthing keys new
  farthing serve --rpc https://node.example --escrow 0x… --token 0x… --upstream http://127.0.0.1:8080 --price 5
  farthing serve shop.json --contract 0x… --tls-cert server.crt --tls-key server.key --host 0.0.0.0 --port 443
  FARTHING_RPC=https://node.example FARTHING_CONTRACT=0x… farthing serve --files ./public --price 2 --json
${exitHelp}`

async function serve(file: string | undefined, options: Options): Promise<void> {
  const goods = goodsOf(file, options)
  goods.read()
  const rest = readRest(options)
  const rules = rulesOf(options)
  const account = readKeyFile(options)
  const log = jsonLog(options.logLevel)
  const paid = options.receiver ?? account.address
  const listeners = alarmListeners(options, `farthing serve ${paid}`, log)
  const feed = feedOf(options, log)
  const privateKey = await account.unlock()
  const signals = listenToSignals()
  try {
    await inOptions(options.contract, async () => {
      tellEngine(log)
      const say = teller(log)
      const place = await findPlace(options, { signal: signals.stop, say })
      const stateFile = options.stateFile ?? usualStateFile(place, paid)
      await withStateFile(stateFile, (own) =>
        withFeed(feed, own, (store) =>
          sell({ options, goods, rest, rules, signals, place, stateFile, store, paid, privateKey, say, listeners }),
        ),
      )
    })
  } catch (error) {
    // Whoever was asked to stop while it waited has done what was asked.
    if (error !== signals.stop.reason) throw error
  } finally {
    signals.release()
    await listeners.stop()
  }
}

type Opened = {
  readonly options: Options
  readonly rules: Rules
  readonly goods: Goods
  readonly rest: Rest
  readonly signals: Signals
  readonly place: Place
  readonly stateFile: string
  readonly store: Store
  readonly paid: Address
  readonly privateKey: Hex
  readonly say: Say
  readonly listeners: Listeners
}

async function sell(opened: Opened): Promise<void> {
  const { options, rules, goods, rest, signals, place, store, paid, privateKey, say, listeners } = opened
  const { chain, chainId, rails } = place
  const { host, port, logLevel } = options
  const wallet = walletOf(chain, privateKey, { ...options, intents: store })
  const wall = wallFor(rails, options.paywall)
  const receiver = createReceiver({
    address: paid,
    wallet,
    chain,
    store,
    rails,
    log: jsonLog(logLevel),
    alarms: listeners.sinks,
    ...rules,
    restored: options.restored === true,
    ...(wall && { page: wall.page }),
  })
  await listeners.serve(receiver)
  const mount = restMount(receiver, rest)
  const mounts = [mount, wall?.mount].filter((one) => one !== undefined)
  say(`reading chain ${chainId} up to now`)
  await sellUntilStopped({ receiver, goods, mounts, rest: mount, tls: tlsOf(options), host, port, signals }, (url) =>
    sayReady(opened, receiver.address, url, mount?.path),
  )
}

function sayReady(
  { options, place, stateFile }: Opened,
  receiver: Address,
  url: string,
  rest: string | undefined,
): void {
  const paid = getAddress(receiver)
  const { chainId } = place
  const rails = place.rails.map(({ dialect, address, token }) => ({
    protocol: dialect.name,
    escrow: getAddress(address),
    token: getAddress(token),
  }))
  const facts = { url, chainId, receiver: paid, rails, rest: rest ?? null, stateFile }
  const names = rails.map(({ protocol }) => protocol).join(' and ')
  report(options.json, facts, `Selling at ${url}, paid to ${paid} on chain ${chainId} by ${names}. Ctrl-C stops.`)
}

/** One without the other is for the proxy to refuse. */
function tlsOf({ tlsCert, tlsKey }: Options): TlsOptions | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  return { ...(tlsCert !== undefined && { certFile: tlsCert }), ...(tlsKey !== undefined && { keyFile: tlsKey }) }
}

/** Somebody who looks at a terminal is told; where nobody does, a server that waits says so in its log. */
function teller(log: Log): Say {
  if (process.stderr.isTTY) return progress()
  return (message) => log(message.startsWith('waiting') ? 'error' : 'info', 'starting', { message })
}
