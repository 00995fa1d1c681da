/** How far a contract was followed: filed in the store, so that a restart goes on where it stopped. */
import type { Address, Hash } from 'viem'
import { ownRecord } from '../base/read.ts'
import type { Store } from './store.ts'

export type StoredCursor = { readonly block: bigint; readonly hash: Hash }
type At = { readonly chainId: number; readonly address: Address }

export async function readCursor(store: Store, at: At): Promise<StoredCursor | undefined> {
  const record = await store.readRecord(nameOf(at))
  if (record === undefined) return undefined
  const { block, hash } = ownRecord<{ block: string; hash: Hash }>(record)
  return { block: BigInt(block), hash }
}

/** undefined: start from the beginning next time. */
export function writeCursor(store: Store, at: At, cursor: StoredCursor | undefined): Promise<void> {
  return store.writeRecord(nameOf(at), () => cursor && recordOf(at, cursor).value)
}

/** What a cursor is filed as, for a commit together with the last change that it covers. */
export function recordOf(at: At, { block, hash }: StoredCursor): { readonly name: string; readonly value: string } {
  return { name: nameOf(at), value: JSON.stringify({ block: `${block}`, hash }) }
}

function nameOf({ chainId, address }: At): string {
  return `cursor:${chainId}:${address}`
}
