/** What this project asks of an Ethereum node. `chain/` is the only folder that talks to one. */
import type { Abi, Address, Hash, Hex, Log } from 'viem'
import type { Call } from '../escrow/escrow.ts'

/** `time` is in seconds since 1970. */
export type Block = {
  readonly number: bigint
  readonly hash: Hash
  readonly parentHash: Hash
  readonly time: bigint
}

/** A mined transaction. `reverted` ones changed nothing but cost gas. */
export type Mined = {
  readonly hash: Hash
  readonly status: 'success' | 'reverted'
  readonly block: bigint
  readonly gasUsed: bigint
  readonly logs: readonly Log[]
}

/** What a mined transaction was. Lower case; `to` is absent where a contract was made. */
export type Sent = { readonly hash: Hash; readonly to?: Address; readonly data: Hex }

/** Every method throws {@link ChainUnavailableError} when no node answers, and {@link ConfigError} when a node is on another chain. */
export type Chain = {
  /** Depth at which a block counts: 1 is the newest block itself. */
  readonly confirmations: number
  /** How often to look for a new block. */
  readonly pollMs: number
  /** Most blocks that are asked for in one query for logs. */
  readonly logRange: number

  id(): Promise<number>
  head(): Promise<Block>
  /** By number or by hash. undefined: no such block (any more). */
  block(at: bigint | Hash): Promise<Block | undefined>
  /** Number of the newest block that is `confirmations` deep. */
  confirmed(): Promise<bigint>
  code(address: Address): Promise<Hex>
  /** In wei. */
  balance(address: Address): Promise<bigint>
  /** @throws {CallRevertedError} with the error's name if `options.abi` knows it, else with the revert data */
  call(call: Call, options?: CallOptions): Promise<Hex>
  /** In the order of the chain. Asks for fewer blocks at a time when a node refuses the range. */
  logs(query: LogQuery): Promise<Log[]>
  /** Whether the contract at `signer` accepts the signature (ERC-1271), as the escrow would ask it. */
  acceptsSignature(question: SignatureQuestion): Promise<boolean>

  /** undefined: not mined, or not known. */
  mined(hash: Hash): Promise<Mined | undefined>
  /**
   * Waits until `hash` is `confirmations` deep (default: the chain's), also when
   * a reorganisation moves it to another block or the nodes are away for a while.
   *
   * @throws {TransactionUnknownError} after `timeoutMs` (default: two minutes)
   */
  waitMined(hash: Hash, options?: WaitOptions): Promise<Mined>

  /** How many transactions of `address` are mined, are mined or wait in the node's pool, or were mined at a block. */
  nonce(address: Address, counted: 'mined' | 'pending' | bigint): Promise<number>
  /** The transaction of `address` with this nonce in the block with this number. */
  sent(address: Address, nonce: number, block: bigint): Promise<Sent | undefined>
  /** Units of gas. @throws {CallRevertedError} */
  gas(call: Call, options?: CallOptions): Promise<bigint>
  fees(): Promise<Fees>
  /** Hands a signed transaction to a node, once. @throws {ChainUnavailableError} if it surely reached none */
  broadcast(transaction: Hex): Promise<Broadcast>
}

/** `abi` names the errors that the called contract may revert with. */
export type CallOptions = {
  readonly from?: Address
  readonly block?: bigint
  readonly gas?: bigint
  readonly abi?: Abi
}

/** `blockHash` asks for one block and no other: a node that does not have it says so. */
export type LogQuery = { readonly address: Address; readonly topics: (Hex | Hex[] | null)[] } & (
  { readonly fromBlock: bigint; readonly toBlock: bigint } | { readonly blockHash: Hash }
)

export type SignatureQuestion = {
  readonly signer: Address
  readonly digest: Uint8Array
  readonly signature: Hex
  /** Who asks: a wallet may answer one contract and not another. */
  readonly escrow: Address
}

export type WaitOptions = {
  readonly confirmations?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Told when the depth of the transaction changes; 0 while it is not mined. */
  readonly onProgress?: (confirmations: number) => void
}

/** Wei per unit of gas: what the next block takes at least, and what is customary on top. */
export type Fees = { readonly base: bigint; readonly tip: bigint }

/**
 * What became of a transaction that was handed to a node.
 *
 * `unknown`: no answer came; the node may have it. `nonce-used`: a transaction
 * with that nonce is mined. `nonce-taken`: one waits, and ours does not pay
 * enough more to replace it.
 */
export type Broadcast = {
  readonly outcome: 'accepted' | 'unknown' | 'nonce-used' | 'nonce-taken' | 'fee-too-low' | 'no-gas' | 'refused'
  readonly reason?: string
}

/** A transaction that is on its way, or mined and not deep enough to be forgotten. */
export type Pending = {
  readonly nonce: number
  /** Of the newest version. */
  readonly hash: Hash
  /** Since when it has been on its way, in milliseconds since 1970. */
  readonly sinceMs: number
  readonly intent: string | undefined
  /** How many times it was sent again with a higher fee. */
  readonly replaced: number
  readonly mined: boolean
}

/** Sends the transactions of one key, one after another. */
export type Wallet = {
  readonly address: Address
  /** 65 bytes, v 27 or 28, low s. */
  sign(digest: Uint8Array): Promise<Hex>
  /**
   * Simulates, sends and waits until the transaction is `confirmations` deep.
   *
   * Not mined for long, it is sent again with the same nonce and a higher fee,
   * so one call takes effect at most once. An `intent` that is on its way or
   * done is not sent again, also after a restart: its fate is returned.
   *
   * @throws {CallRevertedError} if the simulation reverts: nothing was sent
   * @throws {ChainUnavailableError} | {@link NoGasError} | {@link FeeTooHighError} | {@link TransactionRefusedError}: nothing was sent
   * @throws {StoreUnavailableError} if what is to be sent could not be stored: nothing was sent
   * @throws {TransactionRevertedError} if it was mined and reverted
   * @throws {KeyUsedElsewhereError} if another program used its nonce: it changed nothing
   * @throws {TransactionUnknownError} if its fate is not known in time; it may still be mined
   */
  send(call: Call, options?: SendOptions): Promise<Mined>
  /** What is on its way, those of earlier runs too, by nonce. */
  pending(): Promise<readonly Pending[]>
}

export type SendOptions = WaitOptions & {
  /** Names what is to be achieved. The same name is sent once, until it fails. */
  readonly intent?: string
  /** May cost up to `urgentMaxFeePerGas`, and so may those before it. */
  readonly urgent?: boolean
  /** Told the hash once a node has the transaction or may have it, and the hash of each replacement. */
  readonly onSent?: (hash: Hash) => void
  /** Limit in units of gas; default: a fifth more than the estimate. */
  readonly gas?: bigint
  /** Names the errors of a simulation that reverts. */
  readonly abi?: Abi
}
