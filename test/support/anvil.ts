/**
 * A chain of a test file's own: one anvil process, and what tests do to chains.
 *
 * Every helper resolves when the node has done it, so nobody has to sleep.
 */
import { numberToHex, type Address, type Hash, type Hex } from 'viem'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { afterAll, vi } from 'vitest'
import { startAnvil, type Anvil, type AnvilOptions } from '../../src/chain/anvil.ts'

export type TestChain = Omit<Anvil, 'accounts'> & {
  readonly accounts: readonly PrivateKeyAccount[]
  /** Any method of the node; throws an Error with the node's message. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>
  blockNumber(): Promise<bigint>
  mine(blocks?: number): Promise<void>
  /** Moves the clock and mines a block with the new time. */
  increaseTime(seconds: number): Promise<void>
  /** Replaces the newest `depth` blocks by as many others, which hold these transactions. */
  reorg(depth: number, transactions?: readonly Reincluded[]): Promise<void>
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

/** A transaction, signed or of an account that anvil knows, and the place of its block among the new ones. */
export type Reincluded = readonly [Hex | { from: Address; to: Address; data: Hex }, number]

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
  const order = async (method: string, ...params: unknown[]) => {
    await rpc(method, ...params)
  }
  // Two empty blocks at one place and time are the same block, unless somebody else mines the second one.
  let miners = 0
  const mineForAnother = () => order('anvil_setCoinbase', numberToHex(++miners, { size: 20 }))
  return {
    rpc,
    submit,
    transact,
    blockNumber: async () => BigInt((await rpc('eth_blockNumber')) as Hex),
    mine: (blocks = 1) => order('anvil_mine', numberToHex(blocks)),
    async increaseTime(seconds: number) {
      await order('evm_increaseTime', numberToHex(seconds))
      await order('evm_mine')
    },
    async reorg(depth: number, transactions: readonly Reincluded[] = []) {
      await mineForAnother()
      await order('anvil_reorg', depth, transactions)
    },
    async rollback(depth: number) {
      await mineForAnother()
      await order('anvil_rollback', depth)
    },
    snapshot: async () => (await rpc('evm_snapshot')) as Hex,
    revert: (snapshot: Hex) => order('evm_revert', snapshot),
    setBalance: (address: Address, wei: bigint) => order('anvil_setBalance', address, numberToHex(wei)),
    setAutomine: (on: boolean) => order('evm_setAutomine', on),
    setCode: (address: Address, code: Hex) => order('anvil_setCode', address, code),
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
  return vi.waitFor(
    async () => {
      const receipt = await rpc('eth_getTransactionReceipt', hash)
      if (!receipt) throw new Error(`${hash} is not mined`)
      return receipt as Receipt
    },
    { interval: 5, timeout: 10_000 },
  )
}
