/** `farthing request-close`: the end of a channel without its receiver, first half. */
import type { Command } from 'commander'
import { exitHelp } from '../exit.ts'
import { findChannel, inTurn, noBudget, withClient } from '../open.ts'
import { progress, report } from '../print.ts'
import { readSettings, withChainOptions, type ChainOptions } from '../settings.ts'
import { units } from '../units.ts'

type Options = ChainOptions & { readonly owed?: bigint; readonly json?: boolean }

export function addRequestClose(program: Command): void {
  const command = program
    .command('request-close')
    .summary('ask for the rest of a deposit, without the receiver')
    .description(
      'States and pays what is owed, and starts the challenge period in which the receiver may answer. Needs nothing but the key and a node.',
    )
    .argument('<id>', "the channel's id, or how it begins")
    .option(
      '--owed <units>',
      'base units that the receiver has earned in all (default: all that it was promised)',
      units,
    )
    .option('--json', 'print one JSON object: channel, transaction, withdrawableAt')
  withChainOptions(command)
    .addHelpText('after', help)
    .action(async (id: string, options: Options) => requestClose(id, options))
}

const help = `
Examples:
  farthing request-close 0x48164f75
  farthing request-close 0x48164f75 --owed 120
${exitHelp}`

async function requestClose(id: string, options: Options): Promise<void> {
  const settings = await readSettings(options)
  const { channel, hash, at } = await inTurn(settings, progress(), () =>
    withClient(settings, { budget: noBudget }, async (client) => {
      const { state, channel } = await findChannel(client, id)
      const { hash } = await channel.requestClose(options.owed)
      return { channel: state.id, hash, at: (await channel.state()).withdrawableAt }
    }),
  )
  const end = at && 'time' in at ? new Date(Number(at.time) * 1000).toISOString() : null
  report(
    options.json,
    { channel, transaction: hash, withdrawableAt: end },
    `Requested. ${end === null ? 'After the challenge period' : `After ${end}`}, run: farthing withdraw ${channel}`,
    `transaction ${hash}`,
  )
}
