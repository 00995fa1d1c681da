/** Who is measured against whom: our server in every variant that matters, and the peers. */
import type { Use } from './load/load.ts'
import type { PeerName } from './load/peers.ts'
import type { AdapterName } from './servers/listeners.ts'
import type { StoreName } from './servers/shop.ts'
import type { RailName } from './world.ts'

export type Ours = {
  readonly rail: RailName
  readonly store: StoreName
  readonly adapter: AdapterName
  readonly channels: number
  readonly use: Use
}

export type Theirs = { readonly peer: PeerName; readonly store: 'memory' | 'file' }

/** `inRatio`: a ratio needs it. The others are for the table. */
export type Contender = { readonly name: string; readonly inRatio: boolean } & (Ours | Theirs)

/** What all others differ from in one thing. */
const base: Ours = { rail: 'rdn', store: 'sqlite', adapter: 'node', channels: 64, use: 'fresh' }

const variants: readonly Partial<Ours>[] = [
  {},
  { use: 'represented' },
  { store: 'memory' },
  { channels: 1 },
  { channels: 10_000 },
  { adapter: 'express' },
  { adapter: 'hono' },
]

const unpaid: readonly Ours[] = (['node', 'express', 'hono'] as const).map((adapter) => ({
  ...base,
  adapter,
  use: 'free',
}))

const ours: readonly Ours[] = [
  ...unpaid,
  ...(['rdn', 'payment'] as const).flatMap((rail) => variants.map((variant) => ({ ...base, ...variant, rail }))),
]

const theirs: readonly Theirs[] = [
  { peer: 'x402', store: 'memory' },
  { peer: 'x402', store: 'file' },
  { peer: 'mppx', store: 'memory' },
]

export const contenders: readonly Contender[] = [
  ...ours.map((one) => ({ name: nameOf(one), inRatio: isInRatio(one), ...one })),
  ...theirs.map((one) => ({ name: `${one.peer} ${one.store}`, inRatio: true, ...one })),
]

function isInRatio({ rail, store, adapter, channels, use }: Ours): boolean {
  if (adapter !== 'node' || store !== 'sqlite') return false
  return rail === 'rdn' ? channels !== 1 : channels === 64 && use === 'fresh'
}

/** The name of a variant of ours. */
export function nameOf(variant: Partial<Ours> = {}): string {
  const { rail, store, adapter, channels, use } = { ...base, ...variant }
  if (use === 'free') return `unpaid ${adapter}`
  return `${rail} ${store} ${adapter} ${channels} ${use}`
}
