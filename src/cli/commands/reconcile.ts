/** `farthing reconcile`: compares a receiver's books with the chain. */
import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../../base/faults.ts'
import { jsonLog } from '../../base/log.ts'
import { compareHoldings, sumUp, type Totals } from '../../receiver/reconcile-totals.ts'
import { reconcileChannels, type Disagreement } from '../../receiver/reconcile.ts'
import { createReceiver, type Receiver } from '../../receiver/receiver.ts'
import { withSnapshot } from '../../store/sqlite-snapshot.ts'
import { exitCodes, exitHelp } from '../exit.ts'
import { homeFolder, makePrivateFolder } from '../home.ts'
import { out, outJson, progress, table } from '../print.ts'
import { inOptions } from '../serve/as-options.ts'
import { readKeyFile } from '../serve/key.ts'
import { withSellerOptions, type SellerOptions } from '../serve/options.ts'
import { findPlace } from '../serve/place.ts'
import { usualStateFile } from '../serve/state-file.ts'
import { catchUp } from '../serve/till.ts'

type Options = SellerOptions & { readonly json?: boolean }

export function addReconcile(program: Command): void {
  const command = program
    .command('reconcile')
    .summary("compare a receiver's books with the chain")
    .description(
      'Compares each channel of a state file with its contract: status, deposit, what was settled, and whether the voucher is honoured; and what the contract holds with what it owes. Reads a copy of the file, so it may run beside the server. Changes and sends nothing, and asks for no password.',
    )
  withSellerOptions(command)
    .option('--json', 'print one JSON object: ok, channels, disagreements, totals')
    .addHelpText('after', help)
    .action(async (options: Options) => reconcile(options))
}

const help = `
A server does the same by itself every six hours, and raises the alarm books-disagree. The exit code is 5 when something
does not agree.

Examples:
  farthing reconcile --rpc https://node.example --escrow 0x… --token 0x… --receiver 0x…
  farthing reconcile --rpc https://node.example --contract 0x… --state-file /backup/shop.db --json
${exitHelp}`

async function reconcile(options: Options): Promise<void> {
  const paid = options.receiver ?? readKeyFile(options).address
  const say = progress()
  await inOptions(options.contract, async () => {
    const { chain, chainId, rails } = await findPlace(options)
    const stateFile = resolve(options.stateFile ?? usualStateFile({ chain, chainId, rails }, paid))
    if (!existsSync(stateFile))
      throw new ConfigError('--state-file', `there is none at ${stateFile}. Name the one that the server has`)
    await withSnapshot(stateFile, makePrivateFolder(homeFolder()), async (store) => {
      const receiver = createReceiver({ address: paid, chain, rails, store, log: jsonLog(options.logLevel) })
      say(`reading chain ${chainId} up to now`)
      await catchUp(receiver)
      tell(options, await compare(receiver, say))
    })
  })
}

type Found = {
  readonly channels: number
  readonly disagreements: readonly Disagreement[]
  readonly totals: readonly Totals[]
}

async function compare(receiver: Receiver, say: (line: string) => void): Promise<Found> {
  const disagreements: Disagreement[] = []
  let channels = 0
  for await (const compared of reconcileChannels(receiver)) {
    disagreements.push(...compared.disagreements)
    channels += 1
    if (channels % 100 === 0) say(`${channels} channels compared`)
  }
  const totals = await sumUp(receiver)
  for (const one of totals) disagreements.push(...(await compareHoldings(receiver, one)))
  return { channels, disagreements, totals }
}

function tell({ json }: Options, { channels, disagreements, totals }: Found): void {
  if (json) {
    const sums = totals.map(({ rail, ...sum }) => ({
      protocol: rail.dialect.name,
      escrow: rail.address,
      token: rail.token,
      ...sum,
    }))
    outJson({ ok: disagreements.length === 0, channels, disagreements, totals: sums })
  } else {
    for (const line of linesOf({ channels, disagreements, totals })) out(line)
  }
  // It did what was asked, so nothing is thrown.
  if (disagreements.length > 0) process.exitCode = exitCodes.incomplete
}

function linesOf({ channels, disagreements, totals }: Found): string[] {
  const sums = totals.map(({ rail, held, authorized, charged, settled, lost }) =>
    [rail.dialect.name, held, authorized, charged, settled, lost].map(String),
  )
  const verdict =
    disagreements.length === 0
      ? `${channels} channels compared. All agree with the chain.`
      : `${channels} channels compared. ${disagreements.length} do not agree with the chain:`
  const wrong = disagreements.map(({ subject, what, ours, theirs }) => [
    subject,
    what,
    `${ours} here`,
    `${theirs} there`,
  ])
  return [
    table([['PROTOCOL', 'IN ESCROW', 'AUTHORIZED', 'CHARGED', 'SETTLED', 'LOST'], ...sums]),
    verdict,
    ...(wrong.length > 0 ? [table(wrong)] : []),
  ]
}
