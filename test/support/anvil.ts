/**
 * A chain of a test file's own: one anvil process, and what tests do to chains.
 *
 * Every helper resolves when the node has done it, so nobody has to sleep.
 */
import { numberToHex, type Address, type Hash, type Hex } from 'viem'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { afterAll, expect } from 'vitest'
import { startAnvil, type Anvil, type AnvilOptions } from '../../src/chain/anvil.ts'

export type TestChain = Omit<Anvil, 'accounts'> & {
  readonly accounts: readonly PrivateKeyAccount[]
  /** Any method of the node; throws an Error with the node's message. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>
  blockNumber(): Promise<bigint>
  mine(blocks?: number): Promise<void>
  /** Moves the clock and mines a block with the new time. */
  increaseTime(seconds: number): Promise<void>
  /** Replaces the newest `depth` blocks by as many others, which hold the signed transactions, each with the place of its block. */
  reorg(depth: number, transactions?: readonly (readonly [Hex, number])[]): Promise<void>
  /** Takes the newest `depth` blocks away. */
  rollback(depth: number): Promise<void>
  snapshot(): Promise<Hex>
  revert(snapshot: Hex): Promise<void>
  setBalance(address: Address, wei: bigint): Promise<void>
  setAutomine(on: boolean): Promise<void>
  /** Puts code, without a transaction. */
  setCode(address: Address, code: Hex): Promise<void>
  /** Hands over a transaction of an account that anvil knows, and does not wait for its block. */
  submit(transaction: { from: Address; to?: Address; data?: Hex; value?: bigint; gas?: bigint }): Promise<Hash>
  /** `submit`, and waits until it is mined. Throws if it reverts. */
  transact(transaction: { from: Address; to?: Address; data?: Hex; value?: bigint; gas?: bigint }): Promise<Receipt>
  /** The address of a new contract. `code` is its creation code, arguments included. */
  deploy(code: Hex): Promise<Address>
}

export type Receipt = { readonly transactionHash: Hash; readonly contractAddress: Address | null; readonly status: Hex }

/** Starts a chain that is stopped after the tests of this file. */
export async function startTestChain(options: AnvilOptions = {}): Promise<TestChain> {
  const anvil = await startAnvil(options)
  afterAll(() => anvil.stop())
  return {
    ...anvil,
    accounts: anvil.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey)),
    ...controls(anvil),
  }
}

function controls({ url, accounts }: Anvil) {
  const rpc = (method: string, ...params: unknown[]) => ask(url, method, params)
  const submit: TestChain['submit'] = async ({ value, gas, ...rest }) => {
    const numbers = {
      ...(value !== undefined && { value: numberToHex(value) }),
      ...(gas !== undefined && { gas: numberToHex(gas) }),
    }
    return (await rpc('eth_sendTransaction', { ...rest, ...numbers })) as Hash
  }
  const transact: TestChain['transact'] = async (transaction) => {
    const receipt = await receiptOf(rpc, await submit(transaction))
    if (receipt.status !== '0x1') throw new Error(`${receipt.transactionHash} was mined and reverted`)
    return receipt
  }
  return {
    rpc,
    submit,
    transact,
    blockNumber: async () => BigInt((await rpc('eth_blockNumber')) as Hex),
    mine: async (blocks = 1) => void (await rpc('anvil_mine', numberToHex(blocks))),
    async increaseTime(seconds: number) {
      await rpc('evm_increaseTime', numberToHex(seconds))
      await rpc('evm_mine')
    },
    reorg: async (depth: number, transactions: readonly (readonly [Hex, number])[] = []) =>
      void (await rpc('anvil_reorg', depth, transactions)),
    rollback: async (depth: number) => void (await rpc('anvil_rollback', depth)),
    snapshot: async () => (await rpc('evm_snapshot')) as Hex,
    revert: async (snapshot: Hex) => void (await rpc('evm_revert', snapshot)),
    setBalance: async (address: Address, wei: bigint) =>
      void (await rpc('anvil_setBalance', address, numberToHex(wei))),
    setAutomine: async (on: boolean) => void (await rpc('evm_setAutomine', on)),
    setCode: async (address: Address, code: Hex) => void (await rpc('anvil_setCode', address, code)),
    async deploy(code: Hex) {
      const { contractAddress } = await transact({ from: accounts[0]!.address, data: code })
      return contractAddress!
    },
  }
}

async function ask(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

/** Automine answers before the block is there. */
async function receiptOf(rpc: TestChain['rpc'], hash: Hash): Promise<Receipt> {
  return expect
    .poll(() => rpc('eth_getTransactionReceipt', hash), { interval: 5, timeout: 10_000 })
    .not.toBeNull()
    .then(() => rpc('eth_getTransactionReceipt', hash) as Promise<Receipt>)
}
