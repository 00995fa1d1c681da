/** Compares the sum of all books with what the contracts hold, and with what the sums were before. */
import { decodeFunctionResult, encodeFunctionData, erc20Abi } from 'viem'
import { authorized, type Channel } from '../channel/channel.ts'
import { ownRecord } from '../base/read.ts'
import type { Context } from './context.ts'
import { findRailOf } from './find.ts'
import type { AnyRail } from './rail.ts'
import type { Disagreement } from './reconcile.ts'

/** In base units of the rail's token. Those that have ended count in `authorized`, `charged` and `settled`. */
export type Totals = {
  readonly rail: AnyRail
  readonly channels: number
  /** All that the contract owes for channels of this receiver: deposits less what was settled. */
  readonly held: bigint
  readonly authorized: bigint
  readonly charged: bigint
  readonly settled: bigint
  /** Charged on channels that have ended, and never taken. */
  readonly lost: bigint
}

/** One for each rail. Asks no node. */
export async function sumUp(books: Context): Promise<Totals[]> {
  const sums = new Map<AnyRail, Totals>(books.rails.map((rail) => [rail, nothing(rail)]))
  for await (const channel of books.store.list()) {
    const rail = findRailOf(books, channel)
    const sum = rail && sums.get(rail)
    if (sum) sums.set(rail, add(sum, channel))
  }
  return [...sums.values()]
}

/** What the contract holds of the token covers what it owes our senders and us. */
export async function compareHoldings({ chain }: Context, { rail, held }: Totals): Promise<Disagreement[]> {
  const call = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [rail.address] })
  const data = await chain.call({ to: rail.token, data: call })
  const balance = decodeFunctionResult({ abi: erc20Abi, functionName: 'balanceOf', data })
  if (balance >= held) return []
  return [
    { subject: `${rail.address} ${rail.token}`, what: 'tokens in the escrow', ours: `${held}`, theirs: `${balance}` },
  ]
}

/** What was authorized and settled never falls. Remembers the sums for the next time. */
export async function compareHistory({ store }: Context, totals: Totals): Promise<Disagreement[]> {
  const { rail } = totals
  const now = { authorized: totals.authorized, settled: totals.settled }
  const fallen: Disagreement[] = []
  await store.writeRecord(`reconcile:${rail.chainId}:${rail.address}:${rail.token}`, (record) => {
    const before = record === undefined ? undefined : ownRecord<Record<keyof typeof now, string>>(record)
    fallen.length = 0
    for (const what of ['authorized', 'settled'] as const) {
      const was = BigInt(before?.[what] ?? 0)
      if (now[what] >= was) continue
      fallen.push({
        subject: `${rail.address} ${rail.token}`,
        what: `${what} in all, which fell`,
        ours: `${now[what]}`,
        theirs: `${was}`,
      })
    }
    return JSON.stringify({ authorized: `${now.authorized}`, settled: `${now.settled}` })
  })
  return fallen
}

function nothing(rail: AnyRail): Totals {
  return { rail, channels: 0, held: 0n, authorized: 0n, charged: 0n, settled: 0n, lost: 0n }
}

function add(sum: Totals, channel: Channel): Totals {
  const { status, deposit, settled, charged } = channel
  const hasEnded = status === 'closed'
  return {
    rail: sum.rail,
    channels: sum.channels + (hasEnded ? 0 : 1),
    held: sum.held + (hasEnded ? 0n : deposit - settled),
    authorized: sum.authorized + authorized(channel),
    charged: sum.charged + charged,
    settled: sum.settled + settled,
    lost: sum.lost + (hasEnded && charged > settled ? charged - settled : 0n),
  }
}
