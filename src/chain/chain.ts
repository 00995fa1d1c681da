/** What this project asks of an Ethereum node. `chain/` is the only folder that talks to one. */
import type { Address, Hash, Hex, Log } from 'viem'
import type { Call } from '../escrow/escrow.ts'

export type Block = { readonly number: bigint; readonly hash: Hash; readonly time: bigint }

/** A mined transaction. `reverted` ones changed nothing but cost gas. */
export type Mined = {
  readonly hash: Hash
  readonly status: 'success' | 'reverted'
  readonly block: bigint
  readonly gasUsed: bigint
  readonly logs: readonly Log[]
}

export type Chain = {
  /** Depth at which a block counts: 1 is the newest block itself. */
  readonly confirmations: number
  /** How often to look for a new block. */
  readonly pollMs: number

  /** Every method throws {@link ChainUnavailableError} when no node answers. */
  id(): Promise<number>
  head(): Promise<Block>
  /** undefined: no such block (any more). */
  block(number: bigint): Promise<Block | undefined>
  /** The newest block that is `confirmations` deep. */
  confirmed(): Promise<bigint>
  code(address: Address): Promise<Hex>
  balance(address: Address): Promise<bigint>
  /** @throws {CallRevertedError} with the revert data */
  call(call: Call, options?: CallOptions): Promise<Hex>
  logs(query: LogQuery): Promise<Log[]>
  /** undefined: not mined, or not known. */
  mined(hash: Hash): Promise<Mined | undefined>
  /** Waits until `hash` is `confirmations` deep (default: the chain's). @throws {TransactionUnknownError} after `timeoutMs` */
  waitMined(hash: Hash, options?: WaitOptions): Promise<Mined>
  /** Whether the contract at `signer` accepts the signature (ERC-1271), as the escrow would ask it. */
  acceptsSignature(signer: Address, digest: Uint8Array, signature: Hex): Promise<boolean>
}

export type CallOptions = { readonly from?: Address; readonly block?: bigint; readonly gas?: bigint }
export type LogQuery = {
  readonly address: Address
  readonly topics: (Hex | Hex[] | null)[]
  readonly fromBlock: bigint
  readonly toBlock: bigint
}
export type WaitOptions = {
  readonly confirmations?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Told at each new block how deep the transaction is; 0 while it is not mined. */
  readonly onProgress?: (confirmations: number) => void
}

/** Sends the transactions of one key, one after another. */
export type Wallet = {
  readonly address: Address
  /**
   * Simulates, sends and waits until the transaction is mined.
   *
   * @throws {CallRevertedError} if the simulation reverts: nothing was sent
   * @throws {TransactionRevertedError} if it was mined and reverted
   * @throws {TransactionUnknownError} if its fate is not known in time; it may still be mined
   * @throws {NoGasError} if the account cannot pay for it
   */
  send(call: Call, options?: WaitOptions & { readonly onSent?: (hash: Hash) => void }): Promise<Mined>
}
