/**
 * What the Python server of µRaiden 0.2 knew, and the ways in which a test lets
 * it lie. What its clients do then is in test/vectors/uraiden-conversations.json.
 */
import type { Address, Hex } from 'viem'
import type { Lines } from './exchange.ts'

/** As the original numbered them. CLOSE_PENDING: it wanted to dispute and could not. */
export const STATES = { OPEN: 0, CLOSED: 1, CLOSE_PENDING: 2 } as const

/** Sums in base units, times in seconds. */
export type ServerChannel = {
  readonly sender: Address
  readonly block: number
  deposit: bigint
  /** Top ups that are not confirmed, by the hash of their transaction. They cannot be spent. */
  unconfirmedTopUps: ReadonlyMap<Hex, bigint>
  balance: bigint
  /** Of the last payment. */
  signature: Hex | undefined
  state: (typeof STATES)[keyof typeof STATES]
  confirmed: boolean
  /** The block after which the sender can take the rest; -1 before it asked to close. */
  settleTimeout: number
  readonly ctime: number
  mtime: number
}

/** A request as it came in. */
export type Seen = {
  readonly method: string
  /** Path and query, undecoded. */
  readonly target: string
  readonly lines: Lines
  readonly body: string
  /** What it was answered. */
  answer?: Reply
}

export type Reply = { readonly status: number; readonly lines: Lines; readonly body: string }

/** What a resource gives. Headers of payment go out with a `response` only, as there. */
export type Served = {
  readonly kind: 'value' | 'response'
  readonly body: string
  readonly status?: number
  readonly lines?: Lines
}

/** A flag that means "later" to the client. */
export type Flag = 'RDN-Insufficient-Confirmations' | 'RDN-Nonexisting-Channel' | 'RDN-Invalid-Balance-Proof'

export type Lie =
  /** Takes no payment: 402 without a flag, whatever is sent. */
  | { readonly kind: 'greedy' }
  /** Says that the payment it was just sent had been made before. */
  | { readonly kind: 'equal' }
  /** Says that `balance` was paid and shows `signature`. */
  | { readonly kind: 'claim'; readonly balance: bigint; readonly signature: Hex }
  /** Says RDN-Invalid-Amount without a signature, without a balance, or with 65 bytes that nobody signed. */
  | { readonly kind: 'no-signature' | 'no-balance' | 'bad-signature' }
  /** Offers on behalf of another contract. */
  | { readonly kind: 'contract'; readonly contract: Address }
  /** Charges `price` for a request that pays what was offered. */
  | { readonly kind: 'price'; readonly price: bigint }
  /** Answers the next `times` payments with a flag, and is honest then. */
  | { readonly kind: 'flag'; readonly flag: Flag; times: number }
  /** Its node does not answer, or its account is out of coins: 502. */
  | { readonly kind: 'offline' | 'broke' }

export type ServerOptions = {
  /** The receiver's key. */
  readonly key: Hex
  readonly contract: Address
  readonly token: Address
  /** Base units; 0 and less: free. A function is asked at every request. */
  readonly price: bigint | ((request: Seen) => bigint)
  /** What is sold. What it throws is answered with 500, and the payment is kept. */
  readonly resource?: (request: Seen) => Served
  /** The page for those who read HTML. */
  readonly page?: string
}

export type ServerState = {
  readonly options: ServerOptions
  readonly receiver: Address
  readonly channels: Map<string, ServerChannel>
  readonly requests: Seen[]
  lie: Lie | undefined
  /** Base units that the receiver holds, from the chain. */
  liquid: () => Promise<bigint>
}

export function idOf(sender: string, block: number): string {
  return `${sender.toLowerCase()}:${block}`
}

export function isClosed({ state }: ServerChannel): boolean {
  return state !== STATES.OPEN
}

/** A string as the original's framework answers it: JSON and a line feed. */
export function jsonReply(status: number, value: unknown): Reply {
  return { status, lines: [['Content-Type', 'application/json']], body: `${JSON.stringify(value)}\n` }
}
