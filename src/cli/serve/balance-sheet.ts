/** What became of each channel, and what it all came to. */
import { formatEther, type Hash } from 'viem'
import type { Forecast, ForecastTransaction } from '../../receiver/forecast.ts'
import { report, short, table } from '../print.ts'
import { amountText, type TokenInfo } from '../tokens.ts'
import type { Deed } from './till.ts'

export type Done = Deed & { readonly transaction: Hash | null }
export type Failed = Deed & { readonly reason: string }

export type Sheet = {
  readonly done: readonly Done[]
  readonly failed: readonly Failed[]
  /** Wei; null where another program paid. */
  readonly gas: bigint | null
}

/** Some channels are as they were. Their reasons have been said. */
export class IncompleteError extends Error {
  override readonly name = 'IncompleteError'
  constructor(failed: number) {
    super(
      `${failed === 1 ? 'One channel is' : `${failed} channels are`} as before. The others are done; run it again for the rest.`,
    )
  }
}

export type Words = { readonly did: string; readonly token: TokenInfo | undefined; readonly json: boolean | undefined }

/** Prints it. @throws {IncompleteError} if something failed */
export function closeSheet({ done, failed, gas }: Sheet, { did, token, json }: Words): void {
  const recovered = done.reduce((sum, { amount }) => sum + amount, 0n)
  const counts = { recovered, succeeded: done.length, failed: failed.length, gas }
  const cost = gas === null ? '' : ` Gas: ${formatEther(gas)} ETH.`
  const total = `${done.length} channel${done.length === 1 ? '' : 's'} ${did}. Recovered: ${amountText(recovered, token)}.${cost}`
  const failures = failed.map(({ channel, protocol, reason }) => [short(channel), protocol, reason])
  report(
    json,
    { channels: done, failures: failed, ...counts },
    total,
    ...(failed.length > 0 ? [`${failed.length} failed:`, table(failures)] : []),
  )
  if (failed.length > 0) throw new IncompleteError(failed.length)
}

/** What would be done, and nothing that was. `cost`: what it would cost, where that is known. */
export function forecast(due: readonly Deed[], { did, token, json }: Words, cost?: Forecast): void {
  const amount = due.reduce((sum, one) => sum + one.amount, 0n)
  const rows = due.map(({ channel, protocol, sender, amount }) => [
    short(channel),
    protocol,
    short(sender),
    `${amount}`,
  ])
  const total = `${due.length} channel${due.length === 1 ? '' : 's'} would be ${did}, for ${amountText(amount, token)}. Nothing was sent.`
  report(
    json,
    { channels: due, recoverable: amount, ...(cost && costFacts(cost)) },
    ...(due.length > 0 ? [table([['ID', 'PROTOCOL', 'SENDER', 'AMOUNT'], ...rows])] : []),
    total,
    ...(cost ? costLines(cost) : []),
  )
}

function costFacts({ transactions, refused }: Forecast) {
  const sum = (amountOf: (one: ForecastTransaction) => bigint) =>
    transactions.reduce((total, one) => total + amountOf(one), 0n)
  return { transactions: transactions.length, gasUnits: sum(({ gas }) => gas), gas: sum(({ fee }) => fee), refused }
}

function costLines(cost: Forecast): string[] {
  const { transactions, gasUnits, gas, refused } = costFacts(cost)
  if (transactions === 0 && refused.length === 0) return []
  const many = `${transactions} transaction${transactions === 1 ? '' : 's'}`
  const price = `Gas: about ${formatEther(gas)} ETH for ${many} (${gasUnits} units).`
  const rows = refused.map(({ channel, reason }) => [short(channel.split(':').at(-1) ?? ''), reason])
  return [price, ...(rows.length > 0 ? [`${rows.length} would be refused:`, table(rows)] : [])]
}
