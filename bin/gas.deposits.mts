/** Deposits into ChannelEscrow that the sender signs and another sends: by the token (ERC-3009) and by Permit2. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { domainSeparator, encodeFunctionData, keccak256, zeroAddress } from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { channelEscrowAbi as abi } from '../src/escrow/abi/channel-escrow.ts'
import { encode, fields, saltOf } from './gas.channels.mts'
import { CHAIN_ID, DEPOSIT, TOKEN_NAME, type Node } from './gas.node.mts'

export const PERMIT2: Address = '0x000000000022D473030F116dDEE9F6B43aC78BA3'

/** Seconds since 1970. */
export const NEVER = 4_000_000_000n

const permit2Domain = { name: 'Permit2', chainId: CHAIN_ID, verifyingContract: PERMIT2 }

/** Puts the bytecode there that its authors ship for tests, with the domain of this chain as it is after a deployment. */
export async function putPermit2(node: Node): Promise<void> {
  const path = '@uniswap/v4-periphery/lib/permit2/test/utils/DeployPermit2.sol'
  const [, code] = /hex"(\w+)"/.exec(readFileSync(createRequire(import.meta.url).resolve(path), 'utf8')) ?? []
  if (!code) throw new Error('There is no bytecode of Permit2 where it was.')
  await node.put(PERMIT2, `0x${code}`)
  const DOMAIN_SEPARATOR = '0x3644e515'
  const [wrong, right] = [await node.call(PERMIT2, DOMAIN_SEPARATOR), domainSeparator({ domain: permit2Domain })]
  await node.put(PERMIT2, `0x${code.replaceAll(wrong.slice(2), right.slice(2))}`)
}

export function depositsByToken(node: Node, escrow: Address, token: Address) {
  const from = node.sender.address
  return {
    async open(salt: number): Promise<Hex> {
      const named = ['address', 'address', 'address', 'bytes32', 'address']
      const nonce = keccak256(encode(named, [from, node.receiver.address, token, saltOf(salt), zeroAddress]))
      const signature = await signTransfer(node, escrow, token, nonce)
      const args = [...opening(node, token, salt), from, 0n, NEVER, nonce, signature] as const
      return encodeFunctionData({ abi, functionName: 'openWithAuthorization', args })
    },
    async topUp(id: Hash): Promise<Hex> {
      const named = ['bytes32', 'uint128', 'address', 'bytes32']
      const nonce = keccak256(encode(named, [id, DEPOSIT, from, saltOf(0)]))
      const signature = await signTransfer(node, escrow, token, nonce)
      const args = [id, DEPOSIT, from, saltOf(0), 0n, NEVER, nonce, signature] as const
      return encodeFunctionData({ abi, functionName: 'topUpWithAuthorization', args })
    },
  }
}

export function depositsByPermit2(node: Node, escrow: Address, token: Address) {
  const from = node.sender.address
  const sign = (nonce: bigint, witness: Witness) => signPermit(node, { token, spender: escrow, nonce }, witness)
  return {
    async open(salt: number, nonce: bigint): Promise<Hex> {
      const signature = await sign(nonce, {
        name: 'ChannelOpenWitness',
        type: fields('address payee', 'bytes32 salt', 'address authorizedSigner'),
        value: { payee: node.receiver.address, salt: saltOf(salt), authorizedSigner: zeroAddress },
      })
      const args = [...opening(node, token, salt), from, nonce, NEVER, signature] as const
      return encodeFunctionData({ abi, functionName: 'openWithPermit2', args })
    },
    async topUp(id: Hash, nonce: bigint): Promise<Hex> {
      const type = fields('bytes32 channelId')
      const signature = await sign(nonce, { name: 'ChannelTopUpWitness', type, value: { channelId: id } })
      const args = [id, DEPOSIT, from, nonce, NEVER, signature] as const
      return encodeFunctionData({ abi, functionName: 'topUpWithPermit2', args })
    },
  }
}

function opening({ receiver }: Node, token: Address, salt: number) {
  return [receiver.address, token, DEPOSIT, saltOf(salt), zeroAddress] as const
}

/** @see EIP-3009 */
function signTransfer({ sender }: Node, escrow: Address, token: Address, nonce: Hash): Promise<Hex> {
  const times = ['uint256 validAfter', 'uint256 validBefore']
  return sender.signTypedData({
    domain: { name: TOKEN_NAME, version: '1', chainId: CHAIN_ID, verifyingContract: token },
    types: {
      ReceiveWithAuthorization: fields('address from', 'address to', 'uint256 value', ...times, 'bytes32 nonce'),
    },
    primaryType: 'ReceiveWithAuthorization',
    message: { from: sender.address, to: escrow, value: DEPOSIT, validAfter: 0n, validBefore: NEVER, nonce },
  })
}

type Witness = { readonly name: string; readonly type: ReturnType<typeof fields>; readonly value: object }
type Permit = { readonly token: Address; readonly spender: Address; readonly nonce: bigint }

function signPermit({ sender }: Node, { token, spender, nonce }: Permit, witness: Witness): Promise<Hex> {
  return sender.signTypedData({
    domain: permit2Domain,
    types: {
      PermitWitnessTransferFrom: fields(
        'TokenPermissions permitted',
        'address spender',
        'uint256 nonce',
        'uint256 deadline',
        `${witness.name} witness`,
      ),
      TokenPermissions: fields('address token', 'uint256 amount'),
      [witness.name]: witness.type,
    },
    primaryType: 'PermitWitnessTransferFrom',
    message: { permitted: { token, amount: DEPOSIT }, spender, nonce, deadline: NEVER, witness: witness.value },
  })
}
