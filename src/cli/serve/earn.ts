/** Takes what a receiver earned: from its state file, or through its running server. */
import { progress, type Say } from '../print.ts'
import { readToken } from '../tokens.ts'
import { channelsAt, deedIn, logInAt, type Filed, type ServerOptions } from './administration.ts'
import { closeSheet, forecast, type Sheet } from './balance-sheet.ts'
import { option, type SellerOptions } from './options.ts'
import type { RestClient } from '../rest-client.ts'
import type { Command } from 'commander'
import type { Forecast } from '../../receiver/forecast.ts'
import { deedOf, withTill, type Due, type Till } from './till.ts'

export type EarnOptions = SellerOptions & ServerOptions & { readonly dryRun?: boolean; readonly json?: boolean }

/** One way to take it. */
export type Way = {
  readonly did: 'closed' | 'settled'
  wanted(due: Due): boolean
  /** Base units that it brings. */
  brings(due: Due): bigint
  /** What it would cost; where that can be asked without a key. */
  cost?(till: Till, due: readonly Due[]): Promise<Forecast>
  work(till: Till, due: readonly Due[], say: Say): Promise<Sheet>
  wantedAt(filed: Filed): boolean
  workAt(client: RestClient, filed: readonly Filed[]): Promise<Sheet>
}

export function withEarnOptions(command: Command): Command {
  return command
    .option('--dry-run', 'say what would be done; sign and send nothing, and ask for no password of a key')
    .addOption(option('--server <url>', 'have a running server do it, over its REST interface'))
    .addOption(option('--user <name>', 'a user of that server, whose password is then the one of --password-file'))
    .option('--json', 'print one JSON object: channels, failures, recovered, succeeded, failed, gas')
}

/** @throws {IncompleteError} if it failed for some channels */
export async function earn(options: EarnOptions, way: Way): Promise<void> {
  const { server, dryRun = false, json } = options
  const words = { did: way.did, json, token: undefined }
  if (server !== undefined) {
    const client = await logInAt(server, options)
    const filed = await channelsAt(client)
    if (dryRun) forecast(filed.filter((one) => way.wantedAt(one)).map(deedIn), words)
    else closeSheet(await way.workAt(client, filed), words)
    return
  }
  const say = progress()
  await withTill(options, { look: dryRun, say }, async (till) => {
    const token = json || !till.token ? undefined : await readToken(till.chain, till.token)
    const due = till.due.filter((one) => way.wanted(one))
    if (dryRun)
      forecast(
        due.map((one) => deedOf({ ...one, amount: way.brings(one) })),
        { ...words, token },
        await way.cost?.(till, due),
      )
    else closeSheet(await weighed(till, () => way.work(till, due, say)), { ...words, token })
  })
}

/** What the account has less afterwards, it has paid for gas. */
async function weighed({ chain, receiver }: Till, work: () => Promise<Sheet>): Promise<Sheet> {
  const sends = receiver.wallet?.address ?? receiver.address
  const before = await chain.balance(sends)
  const sheet = await work()
  return { ...sheet, gas: before - (await chain.balance(sends)) }
}
