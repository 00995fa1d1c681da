/** The transactions of RaidenChannels. */
import {
  concatHex,
  encodeDeployData,
  encodeFunctionData,
  encodePacked,
  keccak256,
  numberToHex,
  stringToHex,
} from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { raidenChannelsBytecode } from '../src/escrow/abi/raiden-channels-bytecode.ts'
import { raidenChannelsAbi as abi } from '../src/escrow/abi/raiden-channels.ts'
import { BALANCE, DEPOSIT, fund, sum, type Figures, type Node, type Spent } from './gas.node.mts'
import type { Parts } from './gas.parts.mts'

const CHALLENGE_BLOCKS = 500

/** `parts`: what the deposits consist of. */
export type Measured = { readonly figures: Figures; readonly parts: Readonly<Record<string, Parts>> }

export async function measureRaidenChannels(node: Node, token: Address): Promise<Measured> {
  const escrow = await node.deploy(
    encodeDeployData({ abi, bytecode: raidenChannelsBytecode, args: [token, CHALLENGE_BLOCKS, []] }),
  )
  const money = await fund(node, token, escrow)
  const calls = callsOf(node, escrow)
  const asSender = (data: Hex) => node.send(node.sender, escrow, data)
  const asReceiver = (data: Hex) => node.send(node.receiver, escrow, data)

  const first = await money.transfer(DEPOSIT, calls.terms)
  const second = await sum(money.approve(DEPOSIT), () => asSender(calls.create()))
  const topUp = await money.transfer(DEPOSIT, calls.nameOf(first.block))
  const approveAndTopUp = await sum(money.approve(DEPOSIT), () => asSender(calls.topUp(first.block)))
  const withdrawFirst = await asReceiver(await calls.withdraw(first.block, BALANCE))
  const withdrawNext = await asReceiver(await calls.withdraw(first.block, 2n * BALANCE))
  const close = await asSender(await calls.close(second.block, BALANCE))
  const third = await money.transfer(DEPOSIT, calls.terms)
  const request = await asSender(calls.requestClose(third.block, BALANCE))
  await node.mine(CHALLENGE_BLOCKS)
  const settle = await asSender(calls.settle(third.block))
  const end = await asSender(await calls.close(first.block, 3n * BALANCE))
  const deposits = { createByTransfer: first, approveAndCreate: second, topUpByTransfer: topUp, approveAndTopUp }
  const figures = {
    ...gasOf(deposits),
    withdrawFirst: withdrawFirst.gas,
    withdrawNext: withdrawNext.gas,
    cooperativeClose: close.gas,
    uncooperativeClose: request.gas,
    settle: settle.gas,
    life: first.gas + withdrawFirst.gas + end.gas,
  }
  const parts: Record<string, Parts> = {}
  for (const [what, spent] of Object.entries(deposits)) parts[what] = await node.explain(spent, token)
  return { figures, parts }
}

function gasOf(all: Readonly<Record<string, Spent>>): Figures {
  return Object.fromEntries(Object.entries(all).map(([what, { gas }]) => [what, gas]))
}

/** `block` is the one in which the channel was opened. */
function callsOf(node: Node, escrow: Address) {
  const [sender, receiver] = [node.sender.address, node.receiver.address]
  const terms = encodePacked(['address', 'address'], [sender, receiver])
  const asSender = (block: number, balance: bigint) =>
    node.sender.sign({
      hash: digest('receiver', 'Sender balance proof signature', { party: receiver, block, balance, escrow }),
    })
  const asReceiver = (block: number, balance: bigint) =>
    node.receiver.sign({
      hash: digest('sender', 'Receiver closing signature', { party: sender, block, balance, escrow }),
    })
  return {
    terms,
    nameOf: (block: number) => concatHex([terms, numberToHex(block, { size: 4 })]),
    create: () => encodeFunctionData({ abi, functionName: 'createChannel', args: [receiver, DEPOSIT] }),
    topUp: (block: number) => encodeFunctionData({ abi, functionName: 'topUp', args: [receiver, block, DEPOSIT] }),
    async withdraw(block: number, balance: bigint) {
      return encodeFunctionData({
        abi,
        functionName: 'withdraw',
        args: [block, balance, await asSender(block, balance)],
      })
    },
    async close(block: number, balance: bigint) {
      const args = [receiver, block, balance, await asSender(block, balance), await asReceiver(block, balance)] as const
      return encodeFunctionData({ abi, functionName: 'cooperativeClose', args })
    },
    requestClose: (block: number, balance: bigint) =>
      encodeFunctionData({ abi, functionName: 'uncooperativeClose', args: [receiver, block, balance] }),
    settle: (block: number) => encodeFunctionData({ abi, functionName: 'settle', args: [receiver, block] }),
  }
}

type Values = { readonly party: Address; readonly block: number; readonly balance: bigint; readonly escrow: Address }

/** Typed data from before EIP-712: the hash of the types, and the hash of the values. */
function digest(who: 'sender' | 'receiver', title: string, { party, block, balance, escrow }: Values): Hash {
  const types = ['string message_id', `address ${who}`, 'uint32 block_created', 'uint192 balance', 'address contract']
  const values = [title, party, block, balance, escrow] as const
  const hash = keccak256(encodePacked(['string', 'address', 'uint32', 'uint192', 'address'], values))
  return keccak256(concatHex([keccak256(stringToHex(types.join(''))), hash]))
}
