/** What the account signs, and what it has signed. */
import type { Hex } from 'viem'
import type { Voucher } from '../../channel/channel.ts'
import { readSignature } from '../../dialect/rdn-fields.ts'
import type { Proof } from '../../escrow/proof.ts'
import { consentMessage, voucherMessage } from '../../escrow/raiden-messages.ts'
import type { Desk } from './escrow.ts'
import { channelIdOf, digestOf, signerOf } from './signature.ts'
import { ask, WalletError } from './wallet.ts'

/** How long the proof that asks for a close is valid. */
const PROOF_SECONDS = 300

/** @throws {DeniedError} | {@link WalletError} */
export async function signVoucher(desk: Desk, openBlock: bigint, amount: bigint): Promise<Voucher> {
  const { wallet, account, offer } = desk
  const message = voucherMessage(offer.receiver, { openBlock, escrow: offer.escrow }, amount)
  const signature = readSignature(await ask(wallet, 'eth_signTypedData', [message, account]), 'signature')
  const voucher = { cumulativeAmount: amount, signature }
  if (isOwn(desk, openBlock, voucher)) return voucher
  throw new WalletError(
    'The wallet signed with another account, or in another form. Nothing was sent. Choose the account again.',
    -32603,
  )
}

/** Whether the account has signed exactly this. */
export function isOwn({ account, offer }: Desk, openBlock: bigint, voucher: Voucher): boolean {
  const message = voucherMessage(offer.receiver, { openBlock, escrow: offer.escrow }, voucher.cumulativeAmount)
  return signerOf(digestOf(message), voucher.signature) === account
}

/** Whether the receiver has agreed to exactly this close. */
export function isConsent({ account, offer }: Desk, openBlock: bigint, amount: bigint, signature: Hex): boolean {
  const message = consentMessage(account, { openBlock, escrow: offer.escrow }, amount)
  return signerOf(digestOf(message), signature) === offer.receiver
}

/** Shows the server that it is the sender who asks for this close. @throws {DeniedError} | {@link WalletError} */
export async function signProof(desk: Desk, openBlock: bigint, amount: bigint): Promise<Proof> {
  const { wallet, account, offer } = desk
  const validUntil = BigInt(Math.floor(Date.now() / 1_000) + PROOF_SECONDS)
  const typed = {
    domain: { name: 'Farthing Proof', version: '1', chainId: offer.chainId, verifyingContract: offer.escrow },
    primaryType: 'CloseChannel',
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      CloseChannel: [
        { name: 'channelId', type: 'bytes32' },
        { name: 'cumulativeAmount', type: 'uint256' },
        { name: 'validUntil', type: 'uint64' },
      ],
    },
    message: {
      channelId: channelIdOf(account, offer.receiver, openBlock),
      cumulativeAmount: `${amount}`,
      validUntil: `${validUntil}`,
    },
  }
  const signature = await ask(wallet, 'eth_signTypedData_v4', [account, JSON.stringify(typed)])
  return { validUntil, signature: readSignature(signature, 'signature') }
}
