/** A receiver that sells "foo" for 7 and has a REST interface on the same address, and senders who pay it. */
import { randomBytes, scryptSync } from 'node:crypto'
import { getAddress, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { paid } from '../../src/adapter/node.ts'
import { lower } from '../../src/base/read.ts'
import { channelKey as storeKey, type Channel } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createGateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import type { Receiver, ReceiverConfig } from '../../src/receiver/receiver.ts'
import { listen, newAccount, newReceiver, raidenRail, until } from '../support/market.ts'
import { openSenderChain, type SenderChain } from '../support/uraiden/sender-chain.ts'
import { channelKey, signBalance } from '../support/uraiden/signing.ts'

export const PRICE = 7n

export type Stand = {
  /** Origin of the shop, and where its REST interface is. */
  readonly url: string
  readonly api: string
  readonly receiver: Receiver
  readonly contract: Address
  /** A new channel that the receiver knows, from which `count` things were bought. */
  customer(count?: number, deposit?: bigint): Promise<Customer>
  close(): Promise<void>
}

export type Customer = {
  readonly key: Hex
  readonly address: Address
  readonly block: number
  readonly id: Hex
  /** Its path below that of the interface. */
  readonly path: string
  readonly chain: SenderChain
  known(): Promise<Channel | undefined>
  balanceSignature(balance: bigint): Promise<Hex>
  pay(balance: bigint): Promise<Response>
}

export async function openStand(
  world: LocalChain,
  { config = {}, options = {} }: { config?: Partial<ReceiverConfig>; options?: GatewayOptions } = {},
): Promise<Stand> {
  const receiver = await newReceiver(world, { rails: [raidenRail(world)], ...config })
  const gateway = createGateway(receiver, options)
  const sell = paid(receiver, PRICE, (_request, response) => response.end('foo'))
  const { url, close } = await listen((request, response) => {
    void gateway.serve(request, response).then((served) => served || sell(request, response))
  })
  return {
    url,
    api: `${url}${gateway.path}`,
    receiver,
    contract: getAddress(world.raiden),
    customer: (count = 1, deposit = 100n) => newCustomer(world, receiver, url, { count, deposit }),
    close: async () => {
      await close()
      await receiver.stop()
    },
  }
}

async function newCustomer(
  world: LocalChain,
  receiver: Receiver,
  url: string,
  { count, deposit }: { count: number; deposit: bigint },
): Promise<Customer> {
  const { address, privateKey: key } = await newAccount(world, deposit > 1_000_000n ? deposit : 1_000_000n)
  const contract = getAddress(world.raiden)
  const to = getAddress(receiver.address)
  const chain = openSenderChain({ url: world.anvil.url, contract, token: getAddress(world.token), key })
  const opened = await chain.open(to, deposit)
  if (!opened) throw new Error('the account has no tokens')
  const { block } = opened
  const id = channelKey(address, to, block)
  const known = () => receiver.store.get(storeKey(world.chainId, lower(world.raiden), id))
  await until(async () => (await known()) !== undefined)
  const balanceSignature = (balance: bigint) => signBalance(key, { receiver: to, block, balance, contract })
  const pay = async (balance: bigint) => {
    const headers = {
      'RDN-Sender-Address': address,
      'RDN-Open-Block': `${block}`,
      'RDN-Balance': `${balance}`,
      'RDN-Balance-Signature': await balanceSignature(balance),
    }
    return fetch(`${url}/a`, { headers })
  }
  for (let n = 1n; n <= BigInt(count); n += 1n) {
    const { status } = await pay(n * PRICE)
    if (status !== 200) throw new Error(`a payment was answered with ${status}`)
  }
  return { key, address, block, id, path: `/channels/${address}/${block}`, chain, known, balanceSignature, pay }
}

/** What a sender signs to prove itself, as a wallet would: by the library, not by our code. */
export type Claim =
  | { readonly primaryType: 'ReadChannel'; readonly message: { channelId: Hex } }
  | { readonly primaryType: 'CloseChannel'; readonly message: { channelId: Hex; cumulativeAmount: bigint } }
  | { readonly primaryType: 'ListChannels'; readonly message: { sender: Address; receiver: Address } }

const types = {
  ReadChannel: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'validUntil', type: 'uint64' },
  ],
  CloseChannel: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulativeAmount', type: 'uint256' },
    { name: 'validUntil', type: 'uint64' },
  ],
  ListChannels: [
    { name: 'sender', type: 'address' },
    { name: 'receiver', type: 'address' },
    { name: 'validUntil', type: 'uint64' },
  ],
}

export function seconds(fromNow = 0): bigint {
  return BigInt(Math.floor(Date.now() / 1000) + fromNow)
}

/** The value of RDN-Sender-Proof. */
export async function prove(
  world: LocalChain,
  key: Hex,
  { primaryType, message }: Claim,
  { validUntil = seconds(300), domain = {} }: { validUntil?: bigint; domain?: object } = {},
): Promise<string> {
  const signature = await privateKeyToAccount(key).signTypedData({
    domain: {
      name: 'Farthing Proof',
      version: '1',
      chainId: world.chainId,
      verifyingContract: world.raiden,
      ...domain,
    },
    types,
    primaryType,
    message: { ...message, validUntil },
  })
  return `${validUntil} ${signature}`
}

export function read({ id }: Customer): Claim {
  return { primaryType: 'ReadChannel', message: { channelId: id } }
}

export function close({ id }: Customer, cumulativeAmount: bigint): Claim {
  return { primaryType: 'CloseChannel', message: { channelId: id, cumulativeAmount } }
}

/** One answer: its status, and its body as JSON. */
export async function ask(url: string, init: RequestInit = {}): Promise<[status: number, body: unknown]> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const text = await response.text()
  return [response.status, text === '' ? undefined : JSON.parse(text)]
}

export function proven(proof: string, more: RequestInit = {}): RequestInit {
  return { ...more, headers: { ...(more.headers as Record<string, string>), 'RDN-Sender-Proof': proof } }
}

/** As the gateway reads them, made by hand and cheap to look at. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password.normalize('NFC'), salt, 32, { N: 2 ** 14, r: 8, p: 1 })
  return `$scrypt$ln=14,r=8,p=1$${salt.toString('base64url')}$${hash.toString('base64url')}`
}
