/**
 * What a token can do, found by asking it.
 *
 * Its code does not tell: most dollar tokens stand behind a proxy. And an answer counts only if nothing but the real
 * thing would give it, because some tokens take every call and do nothing.
 */
import {
  decodeAbiParameters,
  decodeFunctionResult,
  encodeFunctionData,
  isAddressEqual,
  keccak256,
  parseAbi,
  toHex,
  zeroHash,
  type Address,
  type Hex,
  type TypedDataDefinition,
} from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { domainSeparator } from './eip712.ts'
import type { Call, TokenDomain } from './escrow.ts'

/** Asks the chain; undefined: the call reverts. */
export type Asking = (call: Call) => Promise<Hex | undefined>

export type TokenFacts = {
  /** Absent: it has none that could be confirmed, so nothing can be signed for it. */
  readonly domain?: TokenDomain
  /** Whether it takes a signature for a transfer (ERC-3009), or for an approval (ERC-2612). */
  readonly authorizes: boolean
  readonly permits: boolean
}

export async function tokenFacts(token: Address, chainId: number, ask: Asking): Promise<TokenFacts> {
  const domain = await domainOf(token, chainId, ask)
  if (!domain) return { authorizes: false, permits: false }
  const [used, nonce, permitType] = await Promise.all([
    ask(authorizationState(token, token, zeroHash)),
    ask(permitNonce(token, token)),
    ask(question(token, 'PERMIT_TYPEHASH')),
  ])
  // What Dai calls a permit is another type, and says so.
  const isStandard = permitType === undefined || permitType === '0x' || permitType === PERMIT_TYPEHASH
  return { domain, authorizes: used === zeroHash, permits: nonce?.length === 66 && isStandard }
}

/** Answered with 1 when an authorization was used. */
export function authorizationState(token: Address, from: Address, nonce: Hex): Call {
  return { to: token, data: encodeFunctionData({ abi, functionName: 'authorizationState', args: [from, nonce] }) }
}

/** Answered with the nonce of the next permit. */
export function permitNonce(token: Address, owner: Address): Call {
  return { to: token, data: encodeFunctionData({ abi, functionName: 'nonces', args: [owner] }) }
}

/** Answered with 256 nonces of Permit2, a bit each; {@link isNonceUsed} reads the one that is meant. */
export function nonceBitmap(permit2: Address, owner: Address, nonce: bigint): Call {
  const data = encodeFunctionData({ abi, functionName: 'nonceBitmap', args: [owner, nonce >> 8n] })
  return { to: permit2, data }
}

export function isNonceUsed(bitmap: Hex, nonce: bigint): boolean {
  return ((BigInt(bitmap) >> (nonce & 0xffn)) & 1n) === 1n
}

/** @see EIP-2612 */
export function permitMessage(
  domain: TokenDomain,
  permit: {
    readonly owner: Address
    readonly spender: Address
    readonly value: bigint
    readonly nonce: bigint
    readonly deadline: bigint
  },
): TypedDataDefinition {
  const types = ['address owner', 'address spender', 'uint256 value', 'uint256 nonce', 'uint256 deadline']
  const fields = types.map((field) => field.split(' ')).map(([type = '', name = '']) => ({ name, type }))
  return { domain, types: { Permit: fields }, primaryType: 'Permit', message: permit }
}

const abi = parseAbi([
  'function authorizationState(address authorizer, bytes32 nonce) view returns (bool)',
  'function nonces(address owner) view returns (uint256)',
  'function nonceBitmap(address owner, uint256 word) view returns (uint256)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function PERMIT_TYPEHASH() view returns (bytes32)',
  'function eip712Domain() view returns (bytes1, string, string, uint256, address, bytes32, uint256[])',
  'function name() view returns (string)',
  'function version() view returns (string)',
])

const PERMIT_TYPEHASH = keccak256(
  toHex('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'),
)

type Plain = 'DOMAIN_SEPARATOR' | 'PERMIT_TYPEHASH' | 'eip712Domain' | 'name' | 'version'

function question(token: Address, functionName: Plain): Call {
  return { to: token, data: encodeFunctionData({ abi, functionName }) }
}

/**
 * The domain by its own description (ERC-5267), or the usual one if its hash is the one that the token says.
 *
 * It always names the token itself: a token that answers with the domain of another gets no signature for that one.
 */
async function domainOf(token: Address, chainId: number, ask: Asking): Promise<TokenDomain | undefined> {
  const [described, separator, name, version] = await Promise.all([
    ask(question(token, 'eip712Domain')),
    ask(question(token, 'DOMAIN_SEPARATOR')),
    ask(question(token, 'name')),
    ask(question(token, 'version')),
  ])
  const own = { chainId, verifyingContract: token }
  const said = described === undefined ? undefined : readDescription(described, own)
  if (said) return separator?.length === 66 && separatorOf(said) !== separator ? undefined : said
  const [called] = strings(name)
  if (called === undefined || separator === undefined) return undefined
  const likely = [...strings(version), '1', '2'].map((version) => ({ name: called, version, ...own }))
  return likely.find((domain) => separatorOf(domain) === separator)
}

function readDescription(data: Hex, own: Pick<TokenDomain, 'chainId' | 'verifyingContract'>): TokenDomain | undefined {
  return unlessUnreadable(() => {
    const result = decodeFunctionResult({ abi, functionName: 'eip712Domain', data })
    const [fields, name, version, chainId, contract, , extensions] = result
    const isUsual = fields === '0x0f' && extensions.length === 0
    const isOwn = chainId === BigInt(own.chainId) && isAddressEqual(contract, own.verifyingContract)
    return isUsual && isOwn ? { name, version, ...own } : undefined
  })
}

function strings(answer: Hex | undefined): readonly string[] {
  return unlessUnreadable(() => (answer ? decodeAbiParameters([{ type: 'string' }], answer) : [])) ?? []
}

function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function separatorOf({ name, version, chainId, verifyingContract }: TokenDomain): Hex {
  return bytesToHex(domainSeparator(name, version, { chainId, address: verifyingContract }))
}
