/** `farthing close-all`: the end of every channel that a receiver was paid on. */
import type { Command } from 'commander'
import { messageOf } from '../../base/log.ts'
import { closeOne } from '../../receiver/admin.ts'
import { exitHelp } from '../exit.ts'
import { short, type Say } from '../print.ts'
import { closeAllAt } from '../serve/administration.ts'
import type { Done, Failed, Sheet } from '../serve/balance-sheet.ts'
import { earn, withEarnOptions, type EarnOptions, type Way } from '../serve/earn.ts'
import { withSellerOptions } from '../serve/options.ts'
import { deedOf, type Due, type Till } from '../serve/till.ts'

export function addCloseAll(program: Command): void {
  const command = program
    .command('close-all')
    .summary('as a receiver, close every channel that was paid on')
    .description('Closes every channel of a receiver that has a voucher: it takes what it earned, the rest goes back.')
  withSellerOptions(withEarnOptions(command))
    .addHelpText('after', help)
    .action(async (options: EarnOptions) => earn(options, closing))
}

const help = `
Without --server it works on the state file, while no server runs. A channel that cannot be closed is named, and never
holds up the others. Those that nothing was paid on are left to their senders.

Examples:
  farthing close-all --dry-run --rpc https://node.example --escrow 0x… --token 0x…
  farthing close-all --rpc https://node.example --contract 0x… --json
  farthing close-all --server https://shop.example --user ada
${exitHelp}`

const closing: Way = {
  did: 'closed',
  wanted: () => true,
  brings,
  work: closeEach,
  wantedAt: ({ status, hasVoucher }) => status !== 'closed' && hasVoucher,
  workAt: closeAllAt,
}

/** What was charged, where the contract lets a receiver take less than was authorized. */
function brings({ rail, channel, settled, amount }: Due): bigint {
  const charged = channel.charged > settled ? channel.charged - settled : 0n
  return rail.escrow.closesAtLess && charged < amount ? charged : amount
}

/** Channels that are closed at the same time. */
const AT_ONCE = 16

async function closeEach(till: Till, due: readonly Due[], say: Say): Promise<Sheet> {
  const done: Done[] = []
  const failed: Failed[] = []
  for (let from = 0; from < due.length; from += AT_ONCE) {
    await Promise.all(
      due.slice(from, from + AT_ONCE).map(async (one) => {
        const deed = deedOf(one)
        const outcome = await attempt(till, one)
        if ('reason' in outcome) failed.push({ ...deed, ...outcome })
        else done.push({ ...deed, ...outcome })
        say(
          'reason' in outcome
            ? `${short(deed.channel)} failed: ${outcome.reason}`
            : `${short(deed.channel)} closed, ${outcome.amount} base units`,
        )
      }),
    )
  }
  return { done, failed, gas: null }
}

type Outcome = Pick<Done, 'transaction' | 'amount'> | Pick<Failed, 'reason'>

async function attempt({ receiver }: Till, { settled, ...found }: Due): Promise<Outcome> {
  try {
    const closed = await closeOne(receiver, found)
    if (closed.outcome === 'no-voucher')
      return { reason: 'Its voucher is not over what it was charged. Only its sender can end it.' }
    return { transaction: closed.transaction, amount: closed.settled - settled }
  } catch (error) {
    return { reason: messageOf(error) }
  }
}
