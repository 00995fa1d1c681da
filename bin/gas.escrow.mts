/** The transactions of ChannelEscrow that senders and receivers send themselves. */
import { encodeDeployData, encodeFunctionData, zeroAddress } from 'viem'
import type { Address, Hex } from 'viem'
import { channelEscrowBytecode } from '../src/escrow/abi/channel-escrow-bytecode.ts'
import { channelEscrowAbi as abi } from '../src/escrow/abi/channel-escrow.ts'
import { channelsOf, saltOf } from './gas.channels.mts'
import { BALANCE, DEPOSIT, fund, sum, type Figures, type Node } from './gas.node.mts'
import { measureRelayed } from './gas.relayed.mts'

const CHALLENGE_SECONDS = 900
const BATCH = 50

export async function measureChannelEscrow(node: Node, token: Address): Promise<Figures> {
  const escrow = await node.deploy(
    encodeDeployData({ abi, bytecode: channelEscrowBytecode, args: [BigInt(CHALLENGE_SECONDS)] }),
  )
  const money = await fund(node, token, escrow)
  const { terms } = channelsOf(node, escrow, token)
  const calls = callsOf(node, escrow, token)
  const asSender = (data: Hex) => node.send(node.sender, escrow, data)
  const asReceiver = (data: Hex) => node.send(node.receiver, escrow, data)

  const first = await money.transfer(DEPOSIT, terms(1))
  const second = await sum(money.approve(DEPOSIT), () => asSender(calls.open(2)))
  await money.approve(DEPOSIT)
  const topUp = await asSender(calls.topUp(1))
  const settle = await asReceiver(await calls.settle(1))
  const close = await asReceiver(await calls.close(2))
  await money.transfer(DEPOSIT, terms(3))
  const request = await asSender(calls.requestClose(3))
  await node.wait(CHALLENGE_SECONDS)
  const withdraw = await asSender(calls.withdraw(3))
  const batch = Array.from({ length: BATCH }, (_, index) => 4 + index)
  for (const salt of batch) await money.transfer(DEPOSIT, terms(salt))
  const settleMany = await asReceiver(await calls.settleMany(batch))
  const relayed = await measureRelayed(node, escrow, token, batch)
  const end = await asReceiver(await calls.close(1, 2n * BALANCE))
  return {
    openByTransfer: first.gas,
    approveAndOpen: second.gas,
    topUp: topUp.gas,
    settle: settle.gas,
    settlePerChannelIn50: Math.round(settleMany.gas / BATCH),
    close: close.gas,
    requestClose: request.gas,
    withdraw: withdraw.gas,
    ...relayed,
    life: first.gas + settle.gas + end.gas,
  }
}

function callsOf(node: Node, escrow: Address, token: Address) {
  const { idOf, voucher } = channelsOf(node, escrow, token)
  const redeem = async (functionName: 'settle' | 'close', salt: number, amount?: bigint) => {
    const { channelId, cumulativeAmount, signature } = await voucher(salt, amount)
    return encodeFunctionData({ abi, functionName, args: [channelId, cumulativeAmount, signature] })
  }
  return {
    open: (salt: number) => {
      const args = [node.receiver.address, token, DEPOSIT, saltOf(salt), zeroAddress] as const
      return encodeFunctionData({ abi, functionName: 'open', args })
    },
    topUp: (salt: number) => encodeFunctionData({ abi, functionName: 'topUp', args: [idOf(salt), DEPOSIT] }),
    settle: (salt: number) => redeem('settle', salt),
    close: (salt: number, amount?: bigint) => redeem('close', salt, amount),
    requestClose: (salt: number) => encodeFunctionData({ abi, functionName: 'requestClose', args: [idOf(salt)] }),
    withdraw: (salt: number) => encodeFunctionData({ abi, functionName: 'withdraw', args: [idOf(salt)] }),
    async settleMany(salts: readonly number[]) {
      const rows = await Promise.all(salts.map((salt) => voucher(salt)))
      return encodeFunctionData({ abi, functionName: 'settleMany', args: [token, rows] })
    },
  }
}
