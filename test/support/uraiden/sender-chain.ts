/**
 * What the Python client of µRaiden 0.2 did on chain, by viem and an interface
 * written down by hand: the names and selectors are those of the contract of
 * 2018. Data of transfers and signatures are those of test/vectors/uraiden-conversations.json.
 */
import {
  concatHex,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  http,
  numberToHex,
  parseAbi,
} from 'viem'
import { parseEventLogs, type Address, type Hex, type TransactionReceipt } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

export const contractAbi = parseAbi([
  'function createChannel(address receiver, uint192 deposit)',
  'function topUp(address receiver, uint32 openBlock, uint192 added)',
  'function cooperativeClose(address receiver, uint32 openBlock, uint192 balance, bytes balanceSig, bytes closingSig)',
  'function uncooperativeClose(address receiver, uint32 openBlock, uint192 balance)',
  'function settle(address receiver, uint32 openBlock)',
  'function getChannelInfo(address sender, address receiver, uint32 openBlock) view returns (bytes32, uint192, uint32, uint192, uint192)',
  'event ChannelCreated(address indexed sender, address indexed receiver, uint192 deposit)',
  'event ChannelToppedUp(address indexed sender, address indexed receiver, uint32 indexed openBlock, uint192 added)',
  'event ChannelCloseRequested(address indexed sender, address indexed receiver, uint32 indexed openBlock, uint192 balance)',
  'event ChannelSettled(address indexed sender, address indexed receiver, uint32 indexed openBlock, uint192 balance, uint192 receiverTokens)',
])

export const tokenAbi = parseAbi([
  'function transfer(address to, uint256 value, bytes data) returns (bool)',
  'function approve(address spender, uint256 value) returns (bool)',
  'function balanceOf(address account) view returns (uint256)',
])

/** A channel that is on chain. `block` is the one of its opening, `deposit` in base units. */
export type Opened = { readonly receiver: Address; readonly block: number; readonly deposit: bigint }

export type SenderChain = {
  /** Channels of this sender that are open. */
  channels(): Promise<readonly Opened[]>
  /** Undefined if it cannot be paid for. */
  open(receiver: Address, deposit: bigint): Promise<Opened | undefined>
  topUp(channel: Opened, added: bigint): Promise<boolean>
  closeTogether(channel: Opened, balance: bigint, balanceSignature: Hex, closingSignature: Hex): Promise<void>
  /** Starts the challenge period. */
  closeAlone(channel: Opened, balance: bigint): Promise<void>
  /** Takes what is left after the challenge period. */
  settle(channel: Opened): Promise<void>
}

export type SenderChainOptions = {
  /** The node. */
  readonly url: string
  readonly contract: Address
  readonly token: Address
  /** The sender's key. */
  readonly key: Hex
  /** `transfer`: ERC-223, one transaction, the original's only way. `approve`: ERC-20, two. */
  readonly by?: 'transfer' | 'approve'
}

/** Resolves each time when the transaction is in a block. @throws if it was reverted */
export function openSenderChain({ url, contract, token, key, by = 'transfer' }: SenderChainOptions): SenderChain {
  const account = privateKeyToAccount(key)
  const node = createPublicClient({ transport: http(url), pollingInterval: 10 })
  const wallet = createWalletClient({ transport: http(url), account })
  const mined = async (hash: Hex): Promise<TransactionReceipt> => {
    const receipt = await node.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`${hash} was reverted`)
    return receipt
  }
  const send = async (to: Address, data: Hex) =>
    mined(await wallet.sendTransaction({ account, chain: null, type: 'legacy', ...GAS, to, data }))
  const canPay = async (value: bigint) =>
    value <=
    (await node.readContract({ address: token, abi: tokenAbi, functionName: 'balanceOf', args: [account.address] }))
  /** Hands over tokens: with `data` in one transaction, or by an allowance and then the call. */
  const fund = async (value: bigint, data: Hex, call: Hex) => {
    if (by === 'transfer') return send(token, calls.transfer(contract, value, data))
    await send(token, calls.approve(contract, value))
    return send(contract, call)
  }
  return {
    channels: () => openChannels(node, contract, account.address),
    async open(receiver, deposit) {
      if (!(await canPay(deposit))) return undefined
      const data = openingData(account.address, receiver)
      const { blockNumber } = await fund(deposit, data, calls.createChannel(receiver, deposit))
      return { receiver, block: Number(blockNumber), deposit }
    },
    async topUp({ receiver, block }, added) {
      if (!(await canPay(added))) return false
      const data = toppingUpData(account.address, receiver, block)
      await fund(added, data, calls.topUp(receiver, block, added))
      return true
    },
    async closeTogether({ receiver, block }, balance, balanceSignature, closingSignature) {
      await send(contract, calls.cooperativeClose(receiver, block, balance, balanceSignature, closingSignature))
    },
    async closeAlone({ receiver, block }, balance) {
      await send(contract, calls.uncooperativeClose(receiver, block, balance))
    },
    async settle({ receiver, block }) {
      await send(contract, calls.settle(receiver, block))
    },
  }
}

/** 40 bytes: who sends, who receives. */
export function openingData(sender: Address, receiver: Address): Hex {
  return concatHex([sender, receiver])
}

/** 44 bytes: the same, and the block of the opening. */
export function toppingUpData(sender: Address, receiver: Address, block: number): Hex {
  return concatHex([sender, receiver, numberToHex(block, { size: 4 })])
}

/** The original's own limits: 130,000 gas at 20 gwei. */
const GAS = { gas: 130_000n, gasPrice: 20_000_000_000n }

const calls = {
  transfer: (...args: readonly [Address, bigint, Hex]) =>
    encodeFunctionData({ abi: tokenAbi, functionName: 'transfer', args }),
  approve: (...args: readonly [Address, bigint]) =>
    encodeFunctionData({ abi: tokenAbi, functionName: 'approve', args }),
  createChannel: (...args: readonly [Address, bigint]) =>
    encodeFunctionData({ abi: contractAbi, functionName: 'createChannel', args }),
  topUp: (...args: readonly [Address, number, bigint]) =>
    encodeFunctionData({ abi: contractAbi, functionName: 'topUp', args }),
  cooperativeClose: (...args: readonly [Address, number, bigint, Hex, Hex]) =>
    encodeFunctionData({ abi: contractAbi, functionName: 'cooperativeClose', args }),
  uncooperativeClose: (...args: readonly [Address, number, bigint]) =>
    encodeFunctionData({ abi: contractAbi, functionName: 'uncooperativeClose', args }),
  settle: (...args: readonly [Address, number]) =>
    encodeFunctionData({ abi: contractAbi, functionName: 'settle', args }),
}

type Node = ReturnType<typeof createPublicClient>

/** From the events since the first block, as the original looked for them; those in a challenge period are left out. */
async function openChannels(node: Node, contract: Address, sender: Address): Promise<Opened[]> {
  const logs = await node.getLogs({ address: contract, fromBlock: 0n, toBlock: 'latest' })
  const events = parseEventLogs({ abi: contractAbi, logs }).filter(({ args }) => args.sender === sender)
  const channels = new Map<string, Opened>()
  for (const { eventName, args, blockNumber } of events) {
    if (eventName === 'ChannelCreated') {
      const block = Number(blockNumber)
      channels.set(`${args.receiver}${block}`, { receiver: args.receiver, block, deposit: args.deposit })
      continue
    }
    const id = `${args.receiver}${args.openBlock}`
    const channel = channels.get(id)
    if (eventName !== 'ChannelToppedUp') channels.delete(id)
    else if (channel) channels.set(id, { ...channel, deposit: channel.deposit + args.added })
  }
  return [...channels.values()]
}
