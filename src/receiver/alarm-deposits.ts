/** Deposits that were on the chain and are not any more. */
import type { DeepReorgError } from '../base/faults.ts'
import type { Context, Live } from './context.ts'
import { keyOf, type AnyRail } from './rail.ts'

/**
 * Compares what was pending on a rail with what is `now`. Whatever is in neither that nor the store was taken back by
 * a reorganisation. Nothing was sold for it, but somebody believed that it was there.
 */
export async function noteVanished(
  { live, store, alarms }: Context,
  rail: AnyRail,
  now: Live['pending'],
): Promise<void> {
  for (const key of now.keys()) alarms.clear('deposit-vanished', key)
  for (const [key, { deposit }] of live.pending) {
    if (!isOf(rail, key) || now.has(key)) continue
    const known = await store.get(key)
    if (known && known.deposit >= deposit) continue
    alarms.raise('deposit-vanished', key, VANISHED, { deposit: `${deposit}`, confirmed: `${known?.deposit ?? 0n}` })
  }
}

/** The others keep what they have: each rail is followed by itself. */
export function pendingBeside({ live }: Context, rail: AnyRail, now: Live['pending']): Live['pending'] {
  return new Map([...[...live.pending].filter(([key]) => !isOf(rail, key)), ...now])
}

export function noteDeepReorg({ alarms }: Context, { message }: DeepReorgError): void {
  alarms.raise('deposit-vanished', 'deep-reorg', message)
}

const VANISHED =
  'A deposit that was seen and not yet trusted is not on the chain any more. Nothing was sold for it; it may come again.'

function isOf(rail: AnyRail, key: string): boolean {
  return key.startsWith(keyOf(rail, '0x'))
}
