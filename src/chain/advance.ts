/**
 * One look at the chain: from what was seen to what is to be seen now.
 *
 * Far behind the head, logs are read by ranges. Near it, block by block, each
 * asked for by its hash and tied to the next by its parent hash: there nodes
 * disagree and blocks are exchanged, and an answer that is not about exactly
 * this block is worth nothing.
 */
import type { Address, Hash, Log } from 'viem'
import { ChainUnavailableError, DeepReorgError } from '../base/faults.ts'
import type { ChainEvent } from '../channel/events.ts'
import type { Deployment, Escrow } from '../escrow/escrow.ts'
import type { Block, Chain } from './chain.ts'
import { pause } from './pause.ts'

export type Cursor = { readonly block: bigint; readonly hash: Hash }

/** Whose events are followed, and where. */
export type Followed = {
  readonly chain: Chain
  readonly escrow: Pick<Escrow<never>, 'event' | 'topics'>
  readonly at: Deployment
  readonly of: { readonly sender: Address } | { readonly receiver: Address }
}

/** A block above the cursor, and its events. */
type Link = { readonly block: Block; readonly events: readonly ChainEvent[] }

/** `links` go from the block after the cursor to `head`, without a gap, or are none. */
export type View = { readonly cursor: Cursor; readonly links: readonly Link[]; readonly head?: Block }

export type Progress = {
  /** `confirmations` deep, in order, never handed out before. To be stored together with `cursor`. */
  readonly events: readonly ChainEvent[]
  /** Not deep enough to be trusted; all of them, each time. None while catching up. */
  readonly pending: readonly ChainEvent[]
  readonly cursor: Cursor
  readonly head: Block
  /** Whether `events` reach as far as `confirmations` allow. */
  readonly caughtUp: boolean
}

/** Without `progress`: the head is the same as before. */
export type Step = { readonly view: View; readonly progress?: Progress }

/**
 * @throws {ChainUnavailableError} also when the nodes contradict themselves for long, or are behind the cursor
 * @throws {DeepReorgError}
 */
export async function advance(followed: Followed, view: View): Promise<Step> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const step = await look(followed, view)
    if (step) return step
    await pause(Math.min(followed.chain.pollMs, 250))
  }
  throw new ChainUnavailableError('The nodes contradict themselves: blocks vanish while they are read.')
}

const MOST_ATTEMPTS = 5

/** Blocks behind the confirmed ones that are still read one by one. Nodes behind one address lag a few blocks. */
const NEAR = 12n

/** undefined: the chain moved meanwhile. */
async function look(followed: Followed, view: View): Promise<Step | undefined> {
  const { chain } = followed
  const { cursor } = view
  const head = await chain.head()
  if (head.hash === view.head?.hash) return { view }
  if (head.number < cursor.block) {
    throw new ChainUnavailableError(
      `The node is at block ${head.number} and has yet to reach ${cursor.block}, which was seen already.`,
    )
  }
  const confirmed = head.number - BigInt(chain.confirmations - 1)
  const far = confirmed - NEAR
  return far > cursor.block ? readRange(followed, cursor, head, far) : readLinks(followed, view, head, confirmed)
}

async function readRange(followed: Followed, cursor: Cursor, head: Block, far: bigint): Promise<Step | undefined> {
  const { chain } = followed
  const fromBlock = cursor.block + 1n
  const most = cursor.block + BigInt(chain.logRange)
  const toBlock = most < far ? most : far
  const before = await chain.block(toBlock)
  const events = await readEvents(followed, { fromBlock, toBlock })
  const [after, start] = await Promise.all([chain.block(toBlock), chain.block(cursor.block)])
  if (start && start.hash !== cursor.hash) throw new DeepReorgError(cursor.block)
  if (!start || !before || before.hash !== after?.hash) return undefined
  const reached = { block: toBlock, hash: before.hash }
  return {
    view: { cursor: reached, links: [] },
    progress: { events, pending: [], cursor: reached, head, caughtUp: false },
  }
}

async function readLinks(followed: Followed, view: View, head: Block, confirmed: bigint): Promise<Step | undefined> {
  const { chain } = followed
  const path = await findPath(chain, view, head)
  if (!path) return undefined
  const fresh = await readNew(followed, path.fresh)
  // What was just read by hash was on the chain all the time if its end still is.
  const now = await chain.block(head.number)
  if (now?.hash !== head.hash) return undefined
  const links = [...path.known, ...fresh]
  const deep = links.filter(({ block }) => block.number <= confirmed)
  const rest = links.slice(deep.length)
  const last = deep.at(-1)?.block
  const cursor = last ? { block: last.number, hash: last.hash } : view.cursor
  return {
    view: { cursor, links: rest, head },
    progress: { events: eventsOf(deep), pending: eventsOf(rest), cursor, head, caughtUp: true },
  }
}

/** The way from the cursor to `head`: what of it we know, then what is new. undefined: the chain moved meanwhile. */
async function findPath(chain: Chain, { cursor, links }: View, head: Block) {
  const fresh: Block[] = []
  let at: Cursor = { block: head.number, hash: head.hash }
  let block: Block | undefined = head
  while (at.block > cursor.block) {
    const known = links.findIndex((link) => link.block.hash === at.hash)
    if (known >= 0) return { known: links.slice(0, known + 1), fresh: fresh.reverse() }
    block ??= await chain.block(at.hash)
    if (!block) return undefined
    fresh.push(block)
    at = { block: block.number - 1n, hash: block.parentHash }
    block = undefined
  }
  if (at.hash === cursor.hash) return { known: [], fresh: fresh.reverse() }
  const now = await chain.block(cursor.block)
  if (now && now.hash !== cursor.hash) throw new DeepReorgError(cursor.block)
  return undefined
}

async function readNew(followed: Followed, blocks: readonly Block[]): Promise<Link[]> {
  const links: Link[] = []
  for (let i = 0; i < blocks.length; i += AT_ONCE) {
    const some = blocks.slice(i, i + AT_ONCE)
    links.push(
      ...(await Promise.all(
        some.map(async (block) => ({ block, events: await readEvents(followed, { blockHash: block.hash }) })),
      )),
    )
  }
  return links
}

/** Questions at the same time: more is quicker and what public nodes refuse. */
const AT_ONCE = 8

async function readEvents({ chain, escrow, at, of }: Followed, where: Where): Promise<ChainEvent[]> {
  const logs = await chain.logs({ address: at.address, topics: escrow.topics(of), ...where })
  return logs.map((log: Log) => escrow.event(log, at)).filter((event) => event !== undefined)
}

type Where = { fromBlock: bigint; toBlock: bigint } | { blockHash: Hash }

function eventsOf(links: readonly Link[]): ChainEvent[] {
  return links.flatMap(({ events }) => events)
}
