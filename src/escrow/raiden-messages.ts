/**
 * The two messages of µRaiden as wallets sign them: typed data of the first
 * version, from before EIP-712. Names, types and order are part of what is
 * signed, and so are the words.
 *
 * @see docs/reference/raiden-channels.md
 */
import type { Address } from 'viem'

/** One member of a message. Numbers are decimal digits, so that none is rounded. */
export type TypedMember = { readonly type: string; readonly name: string; readonly value: string }

type Place = { readonly openBlock: bigint; readonly escrow: Address }

/** A voucher of the sender over `amount`, cumulative, in base units. */
export function voucherMessage(receiver: Address, { openBlock, escrow }: Place, amount: bigint): TypedMember[] {
  return [
    { type: 'string', name: 'message_id', value: 'Sender balance proof signature' },
    { type: 'address', name: 'receiver', value: receiver },
    { type: 'uint32', name: 'block_created', value: `${openBlock}` },
    { type: 'uint192', name: 'balance', value: `${amount}` },
    { type: 'address', name: 'contract', value: escrow },
  ]
}

/** The consent of the receiver to a close at `amount`, cumulative, in base units. */
export function consentMessage(sender: Address, { openBlock, escrow }: Place, amount: bigint): TypedMember[] {
  return [
    { type: 'string', name: 'message_id', value: 'Receiver closing signature' },
    { type: 'address', name: 'sender', value: sender },
    { type: 'uint32', name: 'block_created', value: `${openBlock}` },
    { type: 'uint192', name: 'balance', value: `${amount}` },
    { type: 'address', name: 'contract', value: escrow },
  ]
}
