/** `farthing stats`: how a server is doing, as it tells anybody who asks. */
import type { Command } from 'commander'
import * as read from '../../base/read.ts'
import { MalformedPaymentError } from '../../base/errors.ts'
import { ConfigError } from '../../base/faults.ts'
import { exitHelp } from '../exit.ts'
import { out, outJson, short, table } from '../print.ts'
import { createRestClient, type RestClient } from '../rest-client.ts'
import { aborted, listenToSignals } from '../serve/signals.ts'
import { logInAt } from '../serve/administration.ts'
import { option } from '../serve/options.ts'
import { duration } from '../units.ts'

type Options = {
  readonly user?: string
  readonly passwordFile?: string
  readonly watch?: number | true
  readonly json?: boolean
}

export function addStats(program: Command): void {
  program
    .command('stats')
    .summary('show the channel statistics of a server')
    .description('Shows how many channels a server has, what was put into them, and whose they are.')
    .argument('<url>', 'the server, or its REST interface if that is not at /api/1; http:// may be left out')
    .option('--watch [time]', 'again and again, until Ctrl-C; by default every 2s', duration)
    .addOption(option('--user <name>', 'ask as an administrator, who is told what was paid as well'))
    .addOption(option('--password-file <file>', 'the password of --user, in a file that only you can read'))
    .option('--json', 'print one JSON object: statistics, channels; with --watch one a line')
    .addHelpText('after', help)
    .action(async (url: string, options: Options) => stats(url, options))
}

const help = `
What senders have promised, and what a sender is owed, is told to administrators only.

Examples:
  farthing stats https://shop.example
  farthing stats --watch 10s 127.0.0.1:4020
  farthing stats --json --user ada --password-file password.txt https://shop.example
${exitHelp}`

/** Without the interfaces of the contracts, which are for programs that open channels. */
const members = [
  ['open_channels', 'open channels'],
  ['pending_channels', 'pending channels'],
  ['unique_senders', 'senders'],
  ['deposit_sum', 'deposits'],
  ['balance_sum', 'authorized'],
  ['liquid_balance', 'held by the receiver'],
  ['receiver_address', 'receiver'],
  ['contract_address', 'contract'],
  ['token_address', 'token'],
] as const

async function stats(url: string, options: Options): Promise<void> {
  const client = options.user === undefined ? createRestClient(url, 'URL') : await logInAt(url, options, 'URL')
  const show = async () => {
    const [statistics, channels] = [await statisticsAt(client), await sendersAt(client)]
    if (options.json) outJson({ statistics, channels })
    else out(inWords(statistics, channels))
  }
  await show()
  if (options.watch === undefined) return
  const signals = listenToSignals()
  try {
    await repeat(options.watch === true ? 2_000 : options.watch, signals.stop, show)
  } finally {
    signals.release()
  }
}

async function repeat(everyMs: number, stop: AbortSignal, work: () => Promise<void>): Promise<void> {
  const stopped = aborted(stop)
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    await Promise.race([stopped, new Promise((resolve) => (timer = setTimeout(resolve, everyMs)))])
    clearTimeout(timer)
    if (stop.aborted) return
    await work()
  }
}

type Statistics = Readonly<Record<string, string | null>>
type Sender = { readonly sender: string; readonly blocks: readonly string[] }

async function statisticsAt(client: RestClient): Promise<Statistics> {
  return readable(client, async () => {
    const answer = read.object(await client.ask('GET', '/stats'), 'answer')
    return Object.fromEntries(
      members.map(([name]) => {
        const value = read.member(answer, name)
        return [name, value === null ? null : read.text(value, name)]
      }),
    )
  })
}

async function sendersAt(client: RestClient): Promise<Sender[]> {
  return readable(client, async () => {
    const answer = await client.ask('GET', '/channels/?status=all')
    if (!Array.isArray(answer)) throw new MalformedPaymentError('channels', 'is not a list')
    return answer.map((item) => {
      const one = read.object(item, 'channels')
      const blocks = read.member(one, 'blocks')
      if (!Array.isArray(blocks)) throw new MalformedPaymentError('blocks', 'is not a list')
      return {
        sender: read.address(read.member(one, 'sender_address'), 'sender_address'),
        blocks: blocks.map((block) => read.text(block, 'blocks')),
      }
    })
  })
}

async function readable<T>({ url }: RestClient, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof MalformedPaymentError)) throw error
    throw new ConfigError('URL', `${url} does not answer like the REST interface of a receiver`)
  }
}

function inWords(statistics: Statistics, senders: readonly Sender[]): string {
  const rows = members.flatMap(([name, what]) => (statistics[name] == null ? [] : [[what, statistics[name]]]))
  const list = senders.map(({ sender, blocks }) => [short(sender), `${blocks.length}`, blocks.join(', ')])
  const channels = list.length === 0 ? 'No channels yet.' : table([['SENDER', 'CHANNELS', 'OPENED IN BLOCK'], ...list])
  return `${table(rows)}\n\n${channels}\n`
}
