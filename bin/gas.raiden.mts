/** The transactions of RaidenChannels, and what they cost on the original. */
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
import { BALANCE, DEPOSIT, fund, sum, type Figures, type Node } from './gas.node.mts'

/** RaidenMicroTransferChannels 0.2.0 as it was compiled in 2018, measured in the same way by the same rules. */
export const original: Figures = {
  createByTransfer: 71_142,
  approveAndCreate: 115_493,
  topUpByTransfer: 54_723,
  approveAndTopUp: 98_553,
  withdrawFirst: 76_680,
  withdrawNext: 59_609,
  cooperativeClose: 71_126,
  uncooperativeClose: 52_797,
  settle: 58_059,
}

const CHALLENGE_BLOCKS = 500

export async function measureRaidenChannels(node: Node, token: Address): Promise<Figures> {
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
  const topUpByCall = await sum(money.approve(DEPOSIT), () => asSender(calls.topUp(first.block)))
  const withdrawFirst = await asReceiver(await calls.withdraw(first.block, BALANCE))
  const withdrawNext = await asReceiver(await calls.withdraw(first.block, 2n * BALANCE))
  const close = await asSender(await calls.close(second.block, BALANCE))
  const third = await money.transfer(DEPOSIT, calls.terms)
  const request = await asSender(calls.requestClose(third.block, BALANCE))
  await node.mine(CHALLENGE_BLOCKS)
  const settle = await asSender(calls.settle(third.block))
  return {
    createByTransfer: first.gas,
    approveAndCreate: second.gas,
    topUpByTransfer: topUp.gas,
    approveAndTopUp: topUpByCall.gas,
    withdrawFirst: withdrawFirst.gas,
    withdrawNext: withdrawNext.gas,
    cooperativeClose: close.gas,
    uncooperativeClose: request.gas,
    settle: settle.gas,
  }
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
