/** `farthing settle`: a receiver takes what it earned, and its channels stay open. */
import type { Command } from 'commander'
import { ConfigError } from '../../base/faults.ts'
import { exitHelp } from '../exit.ts'
import { short, type Say } from '../print.ts'
import { settleAllAt } from '../serve/administration.ts'
import type { Done, Failed, Sheet } from '../serve/balance-sheet.ts'
import { earn, withEarnOptions, type EarnOptions, type Way } from '../serve/earn.ts'
import { option, withSellerOptions } from '../serve/options.ts'
import { deedOf, objectionTo, type Due, type Till } from '../serve/till.ts'
import { someUnits } from '../units.ts'

type Options = EarnOptions & { readonly minimum: bigint }

export function addSettle(program: Command): void {
  const command = program
    .command('settle')
    .summary('as a receiver, take what was earned')
    .description('Takes what every channel of a receiver has brought and was not taken yet. The channels stay open.')
    .addOption(option('--minimum <units>', 'leave channels with less than this unsettled', someUnits).default(1n, '1'))
  withSellerOptions(withEarnOptions(command))
    .addHelpText('after', help)
    .action(async (options: Options) => settle(options))
}

const help = `
Without --server it works on the state file, while no server runs. A channel that cannot be settled is named, and never
holds up the others. Those whose close is under way are settled by that. (The original called this withdraw.)

Examples:
  farthing settle --dry-run --rpc https://node.example --escrow 0x… --token 0x…
  farthing settle --minimum 100000 --rpc https://node.example --contract 0x… --json
  farthing settle --server https://shop.example --user ada
${exitHelp}`

async function settle({ minimum, ...options }: Options): Promise<void> {
  if (options.server !== undefined && minimum > 1n) {
    throw new ConfigError('--minimum', 'cannot be used with --server, which settles whatever there is. Leave one out')
  }
  const way: Way = {
    did: 'settled',
    wanted: ({ channel, amount }) =>
      channel.status === 'open' && channel.closeAgreed === undefined && amount >= minimum,
    brings: ({ amount }) => amount,
    cost: ({ receiver }, due) => {
      const keys = new Set(due.map(({ channel }) => channel.key))
      return receiver.forecast(({ key }) => keys.has(key))
    },
    work: settleEach,
    wantedAt: ({ status, amount }) => status === 'open' && amount >= minimum,
    workAt: settleAllAt,
  }
  await earn(options, way)
}

/** One after another where the contract wants it so, else many in one transaction. */
async function settleEach(till: Till, due: readonly Due[], say: Say): Promise<Sheet> {
  const wanted = new Map(due.map((one) => [one.channel.key, one]))
  say(`settling ${wanted.size} channels`)
  const done: Done[] = []
  const failed: Failed[] = []
  for (const { channel, ok, transaction, reason, error } of await till.receiver.settle(({ key }) => wanted.has(key))) {
    const one = wanted.get(channel)
    if (!one) continue
    wanted.delete(channel)
    if (ok && transaction) {
      done.push({ ...deedOf(one), transaction })
      say(`${short(one.channel.id)} settled, ${one.amount} base units`)
    } else {
      // What the escrow skipped it says more about when it is asked for that one alone.
      const why = error === undefined ? await objectionTo(till, one) : reason
      failed.push({ ...deedOf(one), reason: why ?? 'It failed.' })
    }
  }
  for (const one of wanted.values()) failed.push({ ...deedOf(one), reason: await objectionTo(till, one) })
  return { done, failed, gas: null }
}
