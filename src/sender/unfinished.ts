/**
 * Deposits that were begun and not filed: the process was killed, or gave up waiting.
 *
 * Before a transaction is sent a note says so. Whoever finds one waits until nothing of this account is on its way any
 * more, and files what the chain says. So no deposit is made twice because the first one was not mined yet.
 */
import type { Address, Log } from 'viem'
import { ownRecord } from '../base/read.ts'
import { DepositNotConfirmedError, NoTokensError } from '../base/spending.ts'
import { apply, type ChainEvent } from '../channel/events.ts'
import type { Deployment } from '../escrow/escrow.ts'
import { pause } from './announce.ts'
import { writeAbout, type AnyProtocol, type Context } from './context.ts'

/** Whose deposits are meant: one channel at a time is funded for each. */
type Pair = { readonly escrow: Address; readonly receiver: Address; readonly token: Address }

/** The newest block before anything was sent. */
type Begun = { readonly block: string }

/** How long an earlier transaction may take to be mined. */
const MINING_MS = 120_000

/** Runs `work`, which makes a deposit and files it. What it leaves undone {@link finish} finds. */
export async function noted<T>({ chain, store }: Context, pair: Pair, work: () => Promise<T>): Promise<T> {
  const block = `${(await chain.head()).number}`
  const forget = () => store.writeRecord(nameOf(pair), () => undefined)
  // An older note that is still there reaches further back.
  await store.writeRecord(nameOf(pair), (known) => known ?? JSON.stringify({ block } satisfies Begun))
  try {
    const done = await work()
    await forget()
    return done
  } catch (error) {
    // Nothing was sent.
    if (error instanceof NoTokensError) await forget()
    throw error
  }
}

/**
 * Files the deposits that were begun for `pair`, if there are any.
 *
 * @throws {DepositNotConfirmedError} if a transaction of the account is still not mined
 */
export async function finish(context: Context, { escrow }: AnyProtocol, pair: Pair): Promise<void> {
  const { chain, store, address } = context
  const note = await store.readRecord(nameOf(pair))
  if (note === undefined) return
  const begun = BigInt(ownRecord<Begun>(note).block)
  await untilMined(context)
  const toBlock = (await chain.head()).number
  const fromBlock = begun < toBlock ? begun : toBlock
  const topics = escrow.topics({ sender: address })
  const at = { chainId: context.allowed.chainId, address: pair.escrow, token: pair.token }
  for (const log of await chain.logs({ address: pair.escrow, topics, fromBlock, toBlock })) {
    await file(context, escrow, log, at)
  }
  await store.writeRecord(nameOf(pair), () => undefined)
}

async function file(context: Context, escrow: AnyProtocol['escrow'], log: Log, at: Deployment): Promise<void> {
  const { chain, store } = context
  const { transactionHash: hash } = log
  const event: ChainEvent | undefined = escrow.event(log, at)
  if (!event || !hash || !/^(opened|toppedUp|toppedUpBy)$/.test(event.type)) return
  await chain.waitMined(hash)
  const known = await store.get(event.key)
  const next = apply(known, event)
  if (next) await store.update(event.key, (now) => apply(now, event) ?? next)
  // The receiver may not have seen it yet.
  if (event.type === 'opened') await writeAbout(store, event.key, (about) => ({ opened: hash, ...about }))
  if (event.type === 'toppedUpBy') {
    const toppingUp = { hash, amount: `${event.added}` }
    await writeAbout(store, event.key, (about) => ({ toppingUp, ...about }))
  }
}

async function untilMined(context: Context): Promise<void> {
  const { chain, wallet, address } = context
  const until = Date.now() + MINING_MS
  while ((await wallet.pending()).some(({ mined }) => !mined)) {
    if (Date.now() > until) throw new DepositNotConfirmedError(`an earlier transaction of ${address}`)
    const wait = { retryAfterSeconds: chain.pollMs / 1000, detail: 'An earlier transaction is not mined yet.' }
    await pause(context, wait, undefined)
  }
}

function nameOf({ escrow, receiver, token }: Pair): string {
  return `depositing:${escrow}:${receiver}:${token}`
}
