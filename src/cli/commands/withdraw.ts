/** `farthing withdraw`: the end of a channel without its receiver, second half. */
import type { Command } from 'commander'
import { exitHelp } from '../exit.ts'
import { findChannel, inTurn, noBudget, withClient } from '../open.ts'
import { progress, report } from '../print.ts'
import { readSettings, withChainOptions, type ChainOptions } from '../settings.ts'

type Options = ChainOptions & { readonly json?: boolean }

export function addWithdraw(program: Command): void {
  const command = program
    .command('withdraw')
    .summary('take the rest of a deposit after the challenge period')
    .description('Takes the rest of a deposit, after `farthing request-close` and the challenge period.')
    .argument('<id>', "the channel's id, or how it begins")
    .option('--json', 'print one JSON object: channel, transaction, refunded')
  withChainOptions(command)
    .addHelpText('after', help)
    .action(async (id: string, options: Options) => withdraw(id, options))
}

const help = `
Examples:
  farthing withdraw 0x48164f75
${exitHelp}`

async function withdraw(id: string, options: Options): Promise<void> {
  const settings = await readSettings(options)
  const { channel, hash, refunded } = await inTurn(settings, progress(), () =>
    withClient(settings, { budget: noBudget }, async (client) => {
      const { state, channel } = await findChannel(client, id)
      const { hash } = await channel.withdraw()
      const { deposit, settled } = await channel.state()
      return { channel: state.id, hash, refunded: deposit - settled }
    }),
  )
  const lines = [`Withdrawn. ${refunded} base units came back.`, `transaction ${hash}`]
  report(options.json, { channel, transaction: hash, refunded }, ...lines)
}
