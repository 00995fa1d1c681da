/** `farthing watch`: answers senders that leave while the server does not. */
import { InvalidArgumentError, type Command } from 'commander'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { getAddress, type Address, type Hex } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { jsonLog, type Log } from '../../base/log.ts'
import { createWatcher } from '../../receiver/watch.ts'
import { vouchersIn } from '../../receiver/watch-store.ts'
import { withSnapshot } from '../../store/sqlite-snapshot.ts'
import type { Store } from '../../store/store.ts'
import { exitHelp } from '../exit.ts'
import { homeFolder, makePrivateFolder } from '../home.ts'
import { progress, report } from '../print.ts'
import { alarmListeners, withAlarmOptions, type AlarmOptions, type Listeners } from '../serve/alarms.ts'
import { inOptions } from '../serve/as-options.ts'
import { takeFeed, withIntakeOptions, type IntakeOptions } from '../serve/feed.ts'
import { readKeyFile } from '../serve/key.ts'
import { hangUp } from '../serve/listen.ts'
import { option, withSellerOptions, type SellerOptions } from '../serve/options.ts'
import { findPlace, type Place } from '../serve/place.ts'
import { walletOf, withStateFile } from '../serve/seller.ts'
import { aborted, listenToSignals, type Signals } from '../serve/signals.ts'
import { usualStateFile } from '../serve/state-file.ts'

type Options = SellerOptions &
  AlarmOptions &
  IntakeOptions & { readonly watchFile?: string; readonly after: number; readonly json?: boolean }

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .summary('answer senders that leave while the server does not')
    .description(
      'Follows the chain beside a server, and answers a requested close with the newest voucher when the server has not done so in time. Reads the state file of the server without disturbing it, also after it was killed.',
    )
    .addOption(
      option(
        '--after <percent>',
        'part of the challenge period that the server is given, from 0 to 50',
        percent,
      ).default(25),
    )
    .addOption(
      option('--watch-file <file>', 'what it knows of the chain (default: one beside others in FARTHING_HOME)'),
    )
  withAlarmOptions(withIntakeOptions(withSellerOptions(command)))
    .option(
      '--json',
      'print one JSON line when ready (receiver, chainId, rails, stateFile, watchFile), and one for each answer',
    )
    .addHelpText('after', help)
    .action(async (options: Options) => watch(options))
}

const help = `
Give it the same chain, contracts and state file as the server, and the key of an operator (\`farthing operator\`) with
--receiver. The receiver's own key will do too; then both must not send at the same time, so give the server its time.
It is best on another machine, with the state file replicated there. SIGINT and SIGTERM end it.

Examples:
  farthing watch --rpc https://node.example --escrow 0x… --token 0x… --receiver 0x… --key-file operator.json
  farthing watch --rpc https://node.example --contract 0x… --state-file /var/lib/farthing/shop.db --after 10
  farthing watch --rpc https://a.example,https://b.example --escrow 0x… --token 0x… --json \\
    --alarm-webhook https://alarms.example/farthing --alarm-secret-file secret.txt
${exitHelp}`

async function watch(options: Options): Promise<void> {
  const account = readKeyFile(options)
  const log = jsonLog(options.logLevel)
  const paid = options.receiver ?? account.address
  const listeners = alarmListeners(options, `farthing watch ${paid}`, log)
  const privateKey = await account.unlock()
  const signals = listenToSignals()
  try {
    await inOptions(options.contract, async () => {
      const place = await findPlace(options, { signal: signals.stop, say: progress(options.logLevel !== 'error') })
      const files = options.feed === undefined ? filesOf(options, place, paid) : fedFilesOf(options, place, paid)
      await checkOwner(files, paid)
      await withStateFile(files.watchFile, (store) =>
        defend({ options, place, paid, privateKey, files, store, listeners, log, signals }),
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

/** Without a state file vouchers are sent to it. */
type Files = { readonly stateFile: string | undefined; readonly watchFile: string }

type Opened = {
  readonly options: Options
  readonly place: Place
  readonly paid: Address
  readonly privateKey: Hex
  readonly files: Files
  readonly store: Store
  readonly listeners: Listeners
  readonly log: Log
  readonly signals: Signals
}

async function defend(opened: Opened): Promise<void> {
  const { options, place, paid, privateKey, files, store, listeners, log, signals } = opened
  const { chain, rails } = place
  const watcher = createWatcher({
    address: paid,
    wallet: walletOf(chain, privateKey, { ...options, intents: store }),
    chain,
    rails,
    store,
    ...(files.stateFile !== undefined && { vouchers: vouchersIn(files.stateFile, dirname(files.watchFile)) }),
    after: options.after / 100,
    log: tellAnswers(log, options.json),
    alarms: listeners.sinks,
  })
  await listeners.serve(watcher)
  const intake = await takeFeed(options, watcher.take)
  const giveUp = () => void watcher.stop()
  signals.stop.addEventListener('abort', giveUp)
  try {
    await watcher.start()
    if (!signals.stop.aborted) sayReady(opened)
    await aborted(signals.stop)
  } finally {
    signals.stop.removeEventListener('abort', giveUp)
    hangUp(intake)
    await watcher.stop()
  }
}

function sayReady({ options, place, paid, files }: Opened): void {
  const { chainId } = place
  const receiver = getAddress(paid)
  const rails = place.rails.map(({ dialect, address, token }) => ({
    protocol: dialect.name,
    escrow: getAddress(address),
    token: getAddress(token),
  }))
  const line = `Watching for ${receiver} on chain ${chainId}, after ${options.after} % of the challenge period. Ctrl-C stops.`
  report(
    options.json,
    { receiver, chainId, rails, after: options.after, ...files, stateFile: files.stateFile ?? null },
    line,
  )
}

/** What it did is its result. */
function tellAnswers(log: Log, json: boolean | undefined): Log {
  return (level, event, details = {}) => {
    log(level, event, details)
    if (event !== 'close-answered') return
    const { channel = '', transaction = '' } = details
    report(json, { event, channel, transaction }, `Answered for channel ${channel}: transaction ${transaction}`)
  }
}

/** @throws {ConfigError} if the server has none there, or the watcher's own would be the same */
function filesOf({ stateFile: given, watchFile: own }: Options, place: Place, paid: Address): Files {
  const stateFile = resolve(given ?? usualStateFile(place, paid))
  if (!existsSync(stateFile)) {
    throw new ConfigError(
      '--state-file',
      `there is none at ${stateFile}. Name the one that the server has, with its chain and contracts; its first start makes it`,
    )
  }
  const watchFile = resolve(own ?? join(makePrivateFolder(join(homeFolder(), 'watchers')), basename(stateFile)))
  if (watchFile !== stateFile) return { stateFile, watchFile }
  throw new ConfigError('--watch-file', 'is the state file of the server. Name another one')
}

/** @throws {ConfigError} if vouchers would come from two places */
function fedFilesOf({ stateFile, watchFile }: Options, place: Place, paid: Address): Files {
  if (stateFile !== undefined) throw new ConfigError('--state-file', 'is not read with --feed. Leave one of them out')
  const own = () => join(makePrivateFolder(join(homeFolder(), 'watchers')), basename(usualStateFile(place, paid)))
  return { stateFile: undefined, watchFile: resolve(watchFile ?? own()) }
}

/** Better now than when a sender has left. @throws {ConfigError} | {@link StoreUnavailableError} */
async function checkOwner({ stateFile, watchFile }: Files, paid: Address): Promise<void> {
  if (stateFile === undefined) return
  const owner = await withSnapshot(stateFile, dirname(watchFile), (store) => store.readRecord('receiver:address'))
  if (owner === undefined || owner === paid.toLowerCase()) return
  throw new ConfigError(
    '--state-file',
    `${stateFile} holds the channels of ${owner}, not of ${paid}. Name that receiver`,
  )
}

/** A whole number from 0 to 50: from there on it might be too late. */
function percent(text: string): number {
  if (/^[0-9]{1,2}$/.test(text) && Number(text) <= 50) return Number(text)
  throw new InvalidArgumentError('Use percent of the challenge period, from 0 to 50.')
}
