/** A chain of one's own for measuring: one anvil, three of its accounts, and transactions that say what they cost. */
import { createPublicClient, createWalletClient, encodeFunctionData, http, numberToHex, zeroAddress } from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { startAnvil } from '../src/chain/anvil.ts'
import { demoTokenAbi as abi } from '../src/escrow/abi/demo-token.ts'
import { add, partsOf, stepsOf, type Parts } from './gas.parts.mts'

/** Gas by what was done. */
export type Figures = Readonly<Record<string, number>>

/** `block` is the one that the transaction is in, or the last of several. */
export type Spent = { readonly gas: number; readonly block: number; readonly hashes: readonly Hash[] }

export type Node = {
  readonly deployer: PrivateKeyAccount
  readonly sender: PrivateKeyAccount
  readonly receiver: PrivateKeyAccount
  /** Creation code with its arguments. */
  deploy(code: Hex): Promise<Address>
  /** @throws if it reverts */
  send(from: PrivateKeyAccount, to: Address, data: Hex): Promise<Spent>
  /** What the gas went into. */
  explain(spent: Spent, token: Address): Promise<Parts>
  /** What a contract answers. */
  call(to: Address, data: Hex): Promise<Hex>
  /** Makes it the code of an account. */
  put(account: Address, code: Hex): Promise<void>
  mine(blocks: number): Promise<void>
  /** Moves the clock. */
  wait(seconds: number): Promise<void>
  stop(): Promise<void>
}

export const CHAIN_ID = foundry.id

export const TOKEN_NAME = 'Demo'

/** Token base units. */
const TOKEN = 10n ** 18n
export const DEPOSIT = 10n * TOKEN
export const BALANCE = 4n * TOKEN
const FORTUNE = 10_000n * TOKEN

export async function startNode(): Promise<Node> {
  const anvil = await startAnvil({ chainId: CHAIN_ID, accounts: 3, args: ['--hardfork', 'osaka', '--steps-tracing'] })
  const [deployer, sender, receiver] = anvil.accounts.map(({ privateKey }) => privateKeyToAccount(privateKey))
  if (!deployer || !sender || !receiver) throw new Error('anvil gave fewer than three accounts')
  const transport = http(anvil.url)
  const reader = createPublicClient({ chain: foundry, transport, pollingInterval: 5, cacheTime: 0 })
  const writer = createWalletClient({ chain: foundry, transport })

  const receiptOf = async (account: PrivateKeyAccount, call: { to?: Address; data: Hex }) => {
    const hash = await writer.sendTransaction({ account, ...call, gas: 10_000_000n })
    const receipt = await reader.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`The call of ${call.data.slice(0, 10)} reverted.`)
    return receipt
  }
  const ask = (method: string, ...params: unknown[]): Promise<unknown> => reader.transport.request({ method, params })
  const order = async (method: string, ...params: Hex[]) => {
    await ask(method, ...params)
  }
  return {
    ...{ deployer, sender, receiver },
    async deploy(code) {
      const { contractAddress } = await receiptOf(deployer, { data: code })
      if (!contractAddress) throw new Error('Nothing was deployed.')
      return contractAddress
    },
    async send(from, to, data) {
      const { gasUsed, blockNumber, transactionHash } = await receiptOf(from, { to, data })
      return { gas: Number(gasUsed), block: Number(blockNumber), hashes: [transactionHash] }
    },
    async explain({ hashes }, token) {
      const all = await Promise.all(
        hashes.map(async (hash) => {
          const [{ to, input }, { gasUsed }] = await Promise.all([
            reader.getTransaction({ hash }),
            reader.getTransactionReceipt({ hash }),
          ])
          const steps = await stepsOf(ask, hash)
          return partsOf({ to: to ?? zeroAddress, data: input, gas: Number(gasUsed), steps }, token)
        }),
      )
      return all.reduce(add)
    },
    async call(to, data) {
      const { data: answer = '0x' } = await reader.call({ to, data })
      return answer
    },
    put: (account, code) => order('anvil_setCode', account, code),
    mine: (blocks) => order('anvil_mine', numberToHex(blocks)),
    async wait(seconds) {
      await order('evm_increaseTime', numberToHex(seconds))
      await order('evm_mine')
    },
    stop: () => anvil.stop(),
  }
}

/** Gives everybody tokens, the escrow too, and says how the sender gives the escrow some. */
export async function fund(node: Node, token: Address, escrow: Address) {
  const { deployer, sender, receiver } = node
  for (const account of [sender.address, receiver.address, escrow]) {
    await node.send(deployer, token, encodeFunctionData({ abi, functionName: 'mint', args: [account, FORTUNE] }))
  }
  const encode = (amount: bigint, data: Hex) =>
    encodeFunctionData({ abi, functionName: 'transfer', args: [escrow, amount, data] })
  return {
    approve: (amount: bigint) =>
      node.send(sender, token, encodeFunctionData({ abi, functionName: 'approve', args: [escrow, amount] })),
    transfer: (amount: bigint, data: Hex) => node.send(sender, token, encode(amount, data)),
  }
}

/** One transaction after another, as one. */
export async function sum(first: Promise<Spent>, second: () => Promise<Spent>): Promise<Spent> {
  const { gas, hashes } = await first
  const { gas: more, block, hashes: others } = await second()
  return { gas: gas + more, block, hashes: [...hashes, ...others] }
}
