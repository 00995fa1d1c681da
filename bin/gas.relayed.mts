/** The transactions of ChannelEscrow that others send: for a sender or a receiver that signed, as a gift, or as an operator. */
import { encodeFunctionData, maxUint256, zeroAddress } from 'viem'
import type { Address, Hex } from 'viem'
import { channelEscrowAbi as abi } from '../src/escrow/abi/channel-escrow.ts'
import { demoTokenAbi } from '../src/escrow/abi/demo-token.ts'
import { channelsOf, fields, saltOf } from './gas.channels.mts'
import { depositsByPermit2, depositsByToken, NEVER, PERMIT2, putPermit2 } from './gas.deposits.mts'
import { BALANCE, DEPOSIT, type Figures, type Node } from './gas.node.mts'

/** The next balances that vouchers are over. */
const [SECOND, THIRD] = [2n * BALANCE, 2n * BALANCE + 1n]

/** @param batch channels that have been settled for `BALANCE` */
export async function measureRelayed(
  node: Node,
  escrow: Address,
  token: Address,
  batch: readonly number[],
): Promise<Figures> {
  await putPermit2(node)
  await node.send(node.sender, token, approve(PERMIT2, maxUint256))
  await node.send(node.receiver, token, approve(escrow, DEPOSIT))
  const { idOf } = channelsOf(node, escrow, token)
  const [byToken, byPermit2] = [depositsByToken(node, escrow, token), depositsByPermit2(node, escrow, token)]
  const receipts = receiptsOf(node, escrow, token)
  const asReceiver = (data: Hex) => node.send(node.receiver, escrow, data)
  const relay = async (data: Hex) => (await node.send(node.deployer, escrow, data)).gas
  const [first, second] = [1_000, 2_000]
  return {
    openFor: (await asReceiver(openFor(node, token))).gas,
    openWithAuthorization: await relay(await byToken.open(first)),
    openWithPermit2: await relay(await byPermit2.open(second, 0n)),
    topUpWithAuthorization: await relay(await byToken.topUp(idOf(first))),
    topUpWithPermit2: await relay(await byPermit2.topUp(idOf(second), 1n)),
    settleWithAuthorization: await relay(await receipts.authorized('settle', first, BALANCE)),
    settleWithNextAuthorization: await relay(await receipts.authorized('settle', first, SECOND)),
    closeWithAuthorization: await relay(await receipts.authorized('close', second, BALANCE)),
    setOperator: (await asReceiver(setOperator(node.deployer.address))).gas,
    settlePerChannelIn50ByOperator: Math.round((await relay(await receipts.many(batch, SECOND))) / batch.length),
    settleByOperator: await relay(await receipts.redeem('settle', batch[0] ?? 0, THIRD)),
    closeByOperator: await relay(await receipts.redeem('close', batch[1] ?? 0, THIRD)),
  }
}

function approve(spender: Address, amount: bigint): Hex {
  return encodeFunctionData({ abi: demoTokenAbi, functionName: 'approve', args: [spender, amount] })
}

function openFor({ sender, receiver }: Node, token: Address): Hex {
  const args = [sender.address, receiver.address, token, DEPOSIT, saltOf(0), zeroAddress] as const
  return encodeFunctionData({ abi, functionName: 'openFor', args })
}

function setOperator(operator: Address): Hex {
  return encodeFunctionData({ abi, functionName: 'setOperator', args: [operator] })
}

/** For the receiver: with its signature, or by its operator. */
function receiptsOf(node: Node, escrow: Address, token: Address) {
  const { domain, voucher } = channelsOf(node, escrow, token)
  let nonce = 0n
  return {
    async authorized(what: 'settle' | 'close', salt: number, amount: bigint): Promise<Hex> {
      const { channelId, cumulativeAmount, signature } = await voucher(salt, amount)
      const primaryType = what === 'settle' ? 'SettleAuthorization' : 'CloseAuthorization'
      const numbers = ['uint128 cumulativeAmount', 'uint256 nonce', 'uint256 deadline']
      const consent = await node.receiver.signTypedData({
        domain,
        types: { [primaryType]: fields('bytes32 channelId', ...numbers) },
        primaryType,
        message: { channelId, cumulativeAmount, nonce, deadline: NEVER },
      })
      const args = [channelId, cumulativeAmount, nonce++, NEVER, consent, signature] as const
      return encodeFunctionData({ abi, functionName: `${what}WithAuthorization`, args })
    },
    async redeem(functionName: 'settle' | 'close', salt: number, amount: bigint): Promise<Hex> {
      const { channelId, cumulativeAmount, signature } = await voucher(salt, amount)
      return encodeFunctionData({ abi, functionName, args: [channelId, cumulativeAmount, signature] })
    },
    async many(salts: readonly number[], amount: bigint): Promise<Hex> {
      const rows = await Promise.all(salts.map((salt) => voucher(salt, amount)))
      const args = [node.receiver.address, token, rows] as const
      return encodeFunctionData({ abi, functionName: 'settleManyFor', args })
    },
  }
}
