/**
 * A stranger's client of the `Payment` scheme, written from the drafts: plain
 * JSON, base64url and viem's own typed data. Nothing of `src/` is used, so that
 * a mistake in our codec cannot cancel itself out.
 */
import { encodeAbiParameters, getAddress, keccak256, type Address, type Hash, type Hex } from 'viem'
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

/** Which types of deposits an offer takes, and whether its receiver sends them. */
export function fundingOf(challenge: Challenge) {
  const { credentialTypes: types, feePayer: isSent } = requestOf(challenge).methodDetails
  return { types, isSent }
}

/** The terms of a channel that shall be opened, or the channel that is topped up, and what the holder signs for it. */
export type Deposit = {
  readonly key: Hex
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  readonly amount: bigint
  /** Of an open. */
  readonly receiver: Address
  readonly salt: Hash
  readonly signer?: Address
  /** Of a top up. */
  readonly channelId?: Hash
}

const NOBODY: Address = '0x0000000000000000000000000000000000000000'

/** The draft's channel id. */
export function channelIdOf({ key, chainId, escrow, token, receiver, salt, signer = NOBODY }: Deposit): Hash {
  const from = privateKeyToAccount(key).address
  const words = ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'].map((type) => ({ type }))
  const values = [from, receiver, token, salt, signer, escrow, BigInt(chainId)]
  return keccak256(encodeAbiParameters(words, values))
}

/** Members of a payload that carries an ERC-3009 authorization; `change` replaces what is signed. */
export async function authorized(deposit: Deposit, change: Record<string, unknown> = {}, domain = usdc(deposit)) {
  const { key, escrow, token, amount, receiver: payee, salt, signer: authorizedSigner = NOBODY, channelId } = deposit
  const account = privateKeyToAccount(key)
  const [words, values] = channelId
    ? [
        ['bytes32', 'uint128', 'address', 'bytes32'],
        [channelId, amount, account.address, salt],
      ]
    : [
        ['address', 'address', 'address', 'bytes32', 'address'],
        [account.address, payee, token, salt, authorizedSigner],
      ]
  const nonce = keccak256(
    encodeAbiParameters(
      words.map((type) => ({ type })),
      values,
    ),
  )
  const message = {
    from: account.address,
    to: escrow,
    value: amount,
    validAfter: 0n,
    validBefore: 4n * 10n ** 9n,
    nonce,
  }
  const signed = { ...message, ...change }
  const fields = [
    'address from',
    'address to',
    'uint256 value',
    'uint256 validAfter',
    'uint256 validBefore',
    'bytes32 nonce',
  ]
  const types = { ReceiveWithAuthorization: fields.map(field) }
  const primaryType = 'ReceiveWithAuthorization'
  const signature = await account.signTypedData({ domain, types, primaryType, message: signed })
  return { type: 'authorization', authorization: inDecimal(signed), signature, salt }
}

/** Members of a payload that carries a signature for Permit2; `change` replaces what is signed. */
export async function permitted(deposit: Deposit, change: Record<string, unknown> = {}) {
  const {
    key,
    chainId,
    escrow,
    token,
    amount,
    receiver: payee,
    salt,
    signer: authorizedSigner = NOBODY,
    channelId,
  } = deposit
  const account = privateKeyToAccount(key)
  const witness = channelId ? { channelId } : { payee, salt, authorizedSigner }
  const name = channelId ? 'ChannelTopUpWitness' : 'ChannelOpenWitness'
  const witnessFields = channelId
    ? ['bytes32 channelId']
    : ['address payee', 'bytes32 salt', 'address authorizedSigner']
  const fields = [
    'TokenPermissions permitted',
    'address spender',
    'uint256 nonce',
    'uint256 deadline',
    `${name} witness`,
  ]
  const types = {
    PermitWitnessTransferFrom: fields.map(field),
    TokenPermissions: ['address token', 'uint256 amount'].map(field),
    [name]: witnessFields.map(field),
  }
  const verifyingContract = '0x000000000022D473030F116dDEE9F6B43aC78BA3' as const
  const nonce = BigInt(keccak256(salt))
  const message = { permitted: { token, amount }, spender: escrow, nonce, deadline: 4n * 10n ** 9n, witness, ...change }
  const domain = { name: 'Permit2', chainId, verifyingContract }
  const signature = await account.signTypedData({ domain, types, primaryType: 'PermitWitnessTransferFrom', message })
  const { spender: _implied, ...signed } = message
  return { type: 'permit2', authorization: { from: account.address, ...inDecimal(signed) }, signature, salt }
}

function usdc({ chainId, token }: Deposit) {
  return { name: 'USD Coin', version: '2', chainId, verifyingContract: token }
}

function field(text: string) {
  const [type = '', name = ''] = text.split(' ')
  return { type, name }
}

function inDecimal(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one))) as Record<
    string,
    unknown
  >
}
