/**
 * A stranger's client of the `Payment` scheme, written from the drafts: plain
 * JSON, base64url and viem's own typed data. Nothing of `src/` is used, so that
 * a mistake in our codec cannot cancel itself out.
 */
import { getAddress, type Address, type Hash, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

export type Challenge = Readonly<Record<string, string>>

/** The parameters of the first Payment challenge of a 402. */
export function challengeOf(response: Response): Challenge {
  const header = response.headers.get('www-authenticate') ?? ''
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]))
}

export function requestOf(
  challenge: Challenge,
): { amount: string; methodDetails: Record<string, unknown> } & Record<string, string> {
  return JSON.parse(Buffer.from(challenge.request!, 'base64url').toString()) as never
}

export type Wallet = { readonly address: Address; readonly privateKey: Hex }
export type Place = { readonly chainId: number; readonly escrow: Address }

/** The draft's voucher, signed by viem. */
export function signVoucher(
  key: Hex,
  { chainId, escrow }: Place,
  channelId: Hash,
  cumulativeAmount: bigint,
): Promise<Hex> {
  return privateKeyToAccount(key).signTypedData({
    domain: { name: 'EVM Payment Channel', version: '1', chainId, verifyingContract: escrow },
    types: {
      Voucher: [
        { name: 'channelId', type: 'bytes32' },
        { name: 'cumulativeAmount', type: 'uint128' },
      ],
    },
    primaryType: 'Voucher',
    message: { channelId, cumulativeAmount },
  })
}

export function authorization(
  challenge: Challenge,
  payload: unknown,
  source?: { address: Address; chainId: number },
): string {
  const did = source && `did:pkh:eip155:${source.chainId}:${getAddress(source.address)}`
  return `Payment ${encode({ challenge, ...(did && { source: did }), payload })}`
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A receipt, with the two sums under the project's names too. */
export function receiptOf(response: Response): Record<string, string> {
  const header = response.headers.get('payment-receipt') ?? ''
  const receipt = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, string>
  return { ...receipt, authorized: receipt.acceptedCumulative!, charged: receipt.spent! }
}

/** The member of an open that names a signer other than the sender. */
export function signedBy(signer: Address) {
  return { authorizedSigner: signer }
}
