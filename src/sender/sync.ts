/**
 * Brings the channels of this sender level with the chain: at the start, and whenever it is asked.
 *
 * What was stored is merged with what the chain says, so that lost local data
 * heals. After a reorganisation, or on another chain with the same id, every
 * channel is asked for by itself and the history is read anew.
 */
import { DeepReorgError } from '../base/faults.ts'
import { cursorAt, follow } from '../chain/follow.ts'
import type { Channel } from '../channel/channel.ts'
import { apply } from '../channel/events.ts'
import type { Deployment } from '../escrow/escrow.ts'
import { readCursor, writeCursor } from '../store/cursor.ts'
import type { AnyProtocol, Context } from './context.ts'
import { refresh } from './heal.ts'

/** @throws {ChainUnavailableError} */
export async function sync(context: Context): Promise<void> {
  for (const { protocol, at } of context.places) await syncEscrow(context, protocol, at)
}

async function syncEscrow(context: Context, protocol: AnyProtocol, at: Deployment): Promise<void> {
  try {
    await catchUp(context, protocol, at)
  } catch (error) {
    if (!(error instanceof DeepReorgError)) throw error
    await writeCursor(context.store, at, undefined)
    for (const channel of await channelsOf(context, at)) await refresh(context, protocol, channel)
    await catchUp(context, protocol, at)
  }
}

async function catchUp({ chain, store, address }: Context, { escrow }: AnyProtocol, at: Deployment): Promise<void> {
  const from = (await readCursor(store, at)) ?? (await cursorAt(chain, 0n))
  for await (const news of follow({ chain, escrow, at, of: { sender: address }, from })) {
    if (news.type === 'unseen') throw news.error
    for (const event of news.events) {
      const known = await store.get(event.key)
      const next = apply(known, event)
      if (next) await store.update(event.key, (now) => apply(now, event) ?? next)
    }
    await writeCursor(store, at, news.cursor)
    if (news.caughtUp) return
  }
}

async function channelsOf({ store }: Context, at: Deployment): Promise<Channel[]> {
  const channels: Channel[] = []
  for await (const channel of store.list()) {
    if (channel.escrow === at.address && channel.chainId === at.chainId && channel.status !== 'closed')
      channels.push(channel)
  }
  return channels
}
