/** The transactions of ChannelEscrow. */
import { encodeAbiParameters, encodeDeployData, encodeFunctionData, keccak256, numberToHex, zeroAddress } from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { channelEscrowBytecode } from '../src/escrow/abi/channel-escrow-bytecode.ts'
import { channelEscrowAbi as abi } from '../src/escrow/abi/channel-escrow.ts'
import { BALANCE, CHAIN_ID, DEPOSIT, fund, sum, type Figures, type Node } from './gas.node.mts'

const CHALLENGE_SECONDS = 900
const BATCH = 50

export async function measureChannelEscrow(node: Node, token: Address): Promise<Figures> {
  const escrow = await node.deploy(
    encodeDeployData({ abi, bytecode: channelEscrowBytecode, args: [BigInt(CHALLENGE_SECONDS)] }),
  )
  const money = await fund(node, token, escrow)
  const calls = callsOf(node, escrow, token)
  const asSender = (data: Hex) => node.send(node.sender, escrow, data)
  const asReceiver = (data: Hex) => node.send(node.receiver, escrow, data)

  const first = await money.transfer(DEPOSIT, calls.terms(1))
  const second = await sum(money.approve(DEPOSIT), () => asSender(calls.open(2)))
  await money.approve(DEPOSIT)
  const topUp = await asSender(calls.topUp(1))
  const settle = await asReceiver(await calls.settle(1))
  const close = await asReceiver(await calls.close(2))
  await money.transfer(DEPOSIT, calls.terms(3))
  const request = await asSender(calls.requestClose(3))
  await node.wait(CHALLENGE_SECONDS)
  const withdraw = await asSender(calls.withdraw(3))
  const batch = Array.from({ length: BATCH }, (_, index) => 4 + index)
  for (const salt of batch) await money.transfer(DEPOSIT, calls.terms(salt))
  const settleMany = await asReceiver(await calls.settleMany(batch))
  return {
    openByTransfer: first.gas,
    approveAndOpen: second.gas,
    topUp: topUp.gas,
    settle: settle.gas,
    settlePerChannelIn50: Math.round(settleMany.gas / BATCH),
    close: close.gas,
    requestClose: request.gas,
    withdraw: withdraw.gas,
  }
}

/** Channels are told apart by their salts. */
function callsOf({ sender, receiver }: Node, escrow: Address, token: Address) {
  const saltOf = (salt: number) => keccak256(numberToHex(salt))
  const idOf = (salt: number): Hash =>
    keccak256(
      encodeAbiParameters(
        (['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'] as const).map((type) => ({
          type,
        })),
        [sender.address, receiver.address, token, saltOf(salt), zeroAddress, escrow, BigInt(CHAIN_ID)],
      ),
    )
  const voucher = async (salt: number) => {
    const [channelId, cumulativeAmount] = [idOf(salt), BALANCE]
    const signature = await sender.signTypedData({
      domain: { name: 'EVM Payment Channel', version: '1', chainId: CHAIN_ID, verifyingContract: escrow },
      types: {
        Voucher: [
          { name: 'channelId', type: 'bytes32' },
          { name: 'cumulativeAmount', type: 'uint128' },
        ],
      },
      primaryType: 'Voucher',
      message: { channelId, cumulativeAmount },
    })
    return { channelId, cumulativeAmount, signature }
  }
  const redeem = async (functionName: 'settle' | 'close', salt: number) => {
    const { channelId, cumulativeAmount, signature } = await voucher(salt)
    return encodeFunctionData({ abi, functionName, args: [channelId, cumulativeAmount, signature] })
  }
  return {
    terms: (salt: number) =>
      encodeAbiParameters(
        [{ type: 'address' }, { type: 'bytes32' }, { type: 'address' }],
        [receiver.address, saltOf(salt), zeroAddress],
      ),
    open(salt: number) {
      const args = [receiver.address, token, DEPOSIT, saltOf(salt), zeroAddress] as const
      return encodeFunctionData({ abi, functionName: 'open', args })
    },
    topUp: (salt: number) => encodeFunctionData({ abi, functionName: 'topUp', args: [idOf(salt), DEPOSIT] }),
    settle: (salt: number) => redeem('settle', salt),
    close: (salt: number) => redeem('close', salt),
    requestClose: (salt: number) => encodeFunctionData({ abi, functionName: 'requestClose', args: [idOf(salt)] }),
    withdraw: (salt: number) => encodeFunctionData({ abi, functionName: 'withdraw', args: [idOf(salt)] }),
    async settleMany(salts: readonly number[]) {
      const rows = await Promise.all(salts.map(voucher))
      return encodeFunctionData({ abi, functionName: 'settleMany', args: [token, rows] })
    },
  }
}
