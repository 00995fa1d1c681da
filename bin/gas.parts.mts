/** What the gas of a transaction went into, from the steps that the node took for it. */
import { hexToBytes, numberToHex, sliceHex, type Address, type Hash, type Hex } from 'viem'

/** Gas. `computing` is all that is neither storage nor events nor calls; the token's is apart. */
export type Parts = {
  /** 21,000 for each transaction, and its calldata. */
  readonly start: number
  readonly storage: number
  readonly events: number
  readonly calls: number
  readonly computing: number
  readonly computingOfToken: number
  /** What the chain gives back. */
  readonly refund: number
}

export type Step = {
  readonly op: string
  readonly depth: number
  /** What is left before it. */
  readonly gas: number
  readonly gasCost: number
  readonly stack: readonly Hex[]
}

export type Traced = { readonly to: Address; readonly data: Hex; readonly gas: number; readonly steps: readonly Step[] }

export function partsOf({ to, data, gas, steps }: Traced, token: Address): Parts {
  const spent = { storage: 0, events: 0, calls: 0, computing: 0, computingOfToken: 0 }
  const places: string[] = []
  places[1] = to.toLowerCase()
  steps.forEach((step, index) => {
    const { op, depth, stack } = step
    if (isCall(op)) places[depth + 1] = addressIn(stack.at(-2) ?? '0x')
    const inToken = places[depth] === token.toLowerCase()
    spent[kindOf(op) ?? (inToken ? 'computingOfToken' : 'computing')] += costOf(steps, index)
  })
  const start = startOf(data)
  const total = Object.values(spent).reduce((sum, one) => sum + one, start)
  return { start, ...spent, refund: gas - total }
}

export function add(one: Parts, other: Parts): Parts {
  return {
    start: one.start + other.start,
    storage: one.storage + other.storage,
    events: one.events + other.events,
    calls: one.calls + other.calls,
    computing: one.computing + other.computing,
    computingOfToken: one.computingOfToken + other.computingOfToken,
    refund: one.refund + other.refund,
  }
}

type Ask = (method: string, ...params: unknown[]) => Promise<unknown>

/** Of a node that keeps them. */
export async function stepsOf(ask: Ask, hash: Hash): Promise<Step[]> {
  const trace = await ask('debug_traceTransaction', hash, { disableStorage: true })
  return (trace as { structLogs: Step[] }).structLogs
}

function isCall(op: string): boolean {
  return op === 'CALL' || op === 'STATICCALL' || op === 'DELEGATECALL'
}

function kindOf(op: string): 'storage' | 'events' | 'calls' | undefined {
  if (/^[ST](LOAD|STORE)$/.test(op)) return 'storage'
  if (op.startsWith('LOG')) return 'events'
  return isCall(op) || op === 'EXTCODESIZE' ? 'calls' : undefined
}

/** Of a call: without what was spent inside of it. */
function costOf(steps: readonly Step[], index: number): number {
  const { depth, gas, gasCost } = steps[index] as Step
  let inside = 0
  let next = index + 1
  for (; (steps[next]?.depth ?? 0) > depth; next++) {
    if (steps[next]?.depth === depth + 1) inside += wholeCostOf(steps, next)
  }
  const after = steps[next]
  return after?.depth === depth ? gas - after.gas - inside : gasCost
}

/** Of a call: with what was spent inside of it. */
function wholeCostOf(steps: readonly Step[], index: number): number {
  const { depth, gas, gasCost } = steps[index] as Step
  const after = steps.slice(index + 1).find((step) => step.depth <= depth)
  return after?.depth === depth ? gas - after.gas : gasCost
}

function startOf(data: Hex): number {
  return hexToBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 21_000)
}

function addressIn(word: Hex): string {
  return sliceHex(numberToHex(BigInt(word), { size: 32 }), 12)
}
