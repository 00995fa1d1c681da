/** `farthing close`: the end of a channel, together with its receiver. */
import type { Command } from 'commander'
import { exitHelp } from '../exit.ts'
import { findChannel, noBudget, withClient } from '../open.ts'
import { progress, report } from '../print.ts'
import { reachingFetch } from '../request.ts'
import { readSettings, withChainOptions, type ChainOptions } from '../settings.ts'

type Options = ChainOptions & { readonly url?: string; readonly json?: boolean }

export function addClose(program: Command): void {
  const command = program
    .command('close')
    .summary('close a channel together with its receiver')
    .description('Asks the receiver to close a channel: it takes what it charged, the rest comes back at once.')
    .argument('<id>', "the channel's id, or how it begins")
    .option('--url <url>', 'any paid URL of the receiver (default: the one that was bought from last)')
    .option('--json', 'print one JSON object: channel, transaction, settled, refunded')
  withChainOptions(command)
    .addHelpText('after', help)
    .action(async (id: string, options: Options) => close(id, options))
}

const help = `
If the receiver does not answer, or refuses, end the channel alone: \`farthing request-close\`, then \`farthing withdraw\`.

Examples:
  farthing close 0x48164f75
  farthing close 0x48164f75 --url https://api.example.com/weather/berlin
${exitHelp}`

async function close(id: string, options: Options): Promise<void> {
  const settings = await readSettings(options)
  const say = progress()
  const closed = await withClient(settings, { budget: noBudget, fetch: reachingFetch }, async (client) => {
    const { state, channel } = await findChannel(client, id)
    say('asking the receiver to close')
    return { channel: state.id, ...(await channel.close(options.url)) }
  })
  const { channel, transaction = null, settled, refunded } = closed
  report(
    options.json,
    { channel, transaction, settled, refunded },
    `Closed. The receiver took ${settled} base units in all; ${refunded} came back.`,
    ...(transaction ? [`transaction ${transaction}`] : []),
  )
}
