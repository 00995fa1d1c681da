/** A receiver that sells over real sockets on a real chain, and buyers who open channels to it by hand. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  encodeAbiParameters,
  encodeFunctionData,
  erc20Abi,
  parseAbi,
  toHex,
  type Address,
  type Hash,
  type Hex,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll } from 'vitest'
import { paid } from '../../src/adapter/node.ts'
import type { Mined, Wallet } from '../../src/chain/chain.ts'
import { createWallet } from '../../src/chain/wallet.ts'
import { channelKey, type Channel } from '../../src/channel/channel.ts'
import { startLocalChain, type LocalChain, type LocalChainOptions } from '../../src/cli/local-chain.ts'
import { channelEscrowAbi as abi } from '../../src/escrow/abi/channel-escrow.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import type { Price } from '../../src/receiver/price.ts'
import { rail, type AnyRail } from '../../src/receiver/rail.ts'
import { createReceiver, type Receiver, type ReceiverConfig } from '../../src/receiver/receiver.ts'
import { memory } from '../../src/store/memory.ts'
import { authorization, challengeOf, signVoucher, type Challenge } from './wire.ts'

export const SECRET = 'a secret that outlives a restart'

/** A key with coins and tokens. */
export async function newAccount(
  world: LocalChain,
  tokens = 1_000_000n,
): Promise<{ address: Address; privateKey: Hex }> {
  const privateKey = generatePrivateKey()
  const { address } = privateKeyToAccount(privateKey)
  await rpc(world, 'anvil_setBalance', address, toHex(10n ** 18n))
  if (tokens > 0n) await world.faucet(address, tokens)
  return { address, privateKey }
}

export async function rpc(world: LocalChain, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(world.anvil.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

export function walletOf(world: LocalChain, { privateKey }: { privateKey: Hex }): Wallet {
  return createWallet({ chain: world.chain, account: privateKeyToAccount(privateKey) })
}

export function railOf(world: LocalChain, token = world.token): AnyRail {
  const dialect = payment({ realm: 'market.test', secrets: [SECRET] })
  return rail({ dialect, escrow: session, chainId: world.chainId, address: world.escrow, token })
}

/** The rail of µRaiden, on the other contract of the local chain. */
export function raidenRail(world: LocalChain): AnyRail {
  return rail({ dialect: rdn(), escrow: raiden, chainId: world.chainId, address: world.raiden, token: world.token })
}

/** A started receiver of its own key. `log` is silent: tests look at answers. */
export async function newReceiver(world: LocalChain, config: Partial<ReceiverConfig> = {}): Promise<Receiver> {
  const wallet = config.address ? undefined : walletOf(world, await newAccount(world, 0n))
  const receiver = createReceiver({
    ...(wallet && { wallet }),
    chain: world.chain,
    store: memory(),
    rails: [railOf(world)],
    log: () => undefined,
    ...config,
  })
  await receiver.start()
  return receiver
}

export type Shop = { readonly url: string; readonly calls: IncomingMessage[]; close(): Promise<void> }

/** Sells `handler` at one price on every path. `calls` are the requests that reached it. */
export async function openShop(
  receiver: Receiver,
  price: Price<IncomingMessage> = 5n,
  handler: (...args: Parameters<Parameters<typeof paid>[2]>) => unknown = (_request, response) => response.end('foo'),
): Promise<Shop> {
  const calls: IncomingMessage[] = []
  const sell = paid(receiver, price, (request, response, sold) => {
    calls.push(request)
    return handler(request, response, sold)
  })
  const { url, close } = await listen(sell)
  return { url, calls, close }
}

export async function listen(
  listener: RequestListener,
): Promise<{ url: string; server: Server; close(): Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, server, close }
}

/** One who opened a channel by hand and pays with hand-made headers. */
export type Buyer = {
  readonly account: { readonly address: Address; readonly privateKey: Hex }
  readonly wallet: Wallet
  readonly id: Hash
  readonly salt: Hash
  readonly opening: Mined
  /** The stored channel as the receiver sees it. */
  known(): Promise<Channel | undefined>
  sign(amount: bigint, key?: Hex): Promise<Hex>
  voucher(amount: bigint, change?: Record<string, unknown>): Promise<Record<string, unknown>>
  /** Headers that pay `amount`, cumulative, for an offer of `url`. */
  headers(url: string, amount: bigint, options?: PayOptions): Promise<Record<string, string>>
  /** Asks for `url` with a voucher over `amount`. */
  pay(url: string, amount: bigint, options?: PayOptions): Promise<Response>
}

export type PayOptions = {
  readonly challenge?: Challenge
  readonly key?: string
  readonly init?: RequestInit
  /** Replaces members of the payload. */
  readonly change?: Record<string, unknown>
}

/** Opens a channel with `deposit` by one transfer and waits until the receiver knows it. */
export async function newBuyer(
  world: LocalChain,
  receiver: Receiver,
  deposit = 1_000n,
  signer?: Address,
): Promise<Buyer> {
  const buyer = await openChannel(world, receiver.address, deposit, signer)
  const known = () => receiver.store.get(channelKey(world.chainId, world.escrow, buyer.id))
  await until(async () => (await known()) !== undefined)
  return { ...buyer, known }
}

/** Opens a channel with `deposit` by one transfer. */
export async function openChannel(
  world: LocalChain,
  receiver: Address,
  deposit: bigint,
  signer?: Address,
): Promise<Omit<Buyer, 'known'>> {
  const account = await newAccount(world, deposit > 1_000_000n ? deposit : 1_000_000n)
  const wallet = walletOf(world, account)
  const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
  const types = [{ type: 'address' }, { type: 'bytes32' }, { type: 'address' }]
  const zero = '0x0000000000000000000000000000000000000000'
  const data = encodeAbiParameters(types, [receiver, salt, signer ?? zero])
  const opening = await wallet.send({ to: world.token, data: transferAndCall(world.escrow, deposit, data) })
  const id = opening.logs.find((log) => log.address.toLowerCase() === world.escrow.toLowerCase())?.topics[1]
  if (!id) throw new Error('no channel was opened')
  const place = { chainId: world.chainId, escrow: world.escrow }
  const sign = (amount: bigint, key = account.privateKey) => signVoucher(key, place, id, amount)
  const voucher = async (amount: bigint, change = {}) => {
    return { action: 'voucher', channelId: id, cumulativeAmount: `${amount}`, signature: await sign(amount), ...change }
  }
  const headers = async (url: string, amount: bigint, { challenge, key, change, init }: PayOptions = {}) => ({
    ...(init?.headers as Record<string, string> | undefined),
    authorization: authorization(challenge ?? challengeOf(await fetch(url)), await voucher(amount, change)),
    ...(key !== undefined && { 'idempotency-key': key }),
  })
  const pay = async (url: string, amount: bigint, options: PayOptions = {}) =>
    fetch(url, { ...options.init, headers: await headers(url, amount, options) })
  return { account, wallet, id, salt, opening, sign, voucher, headers, pay }
}

export function transferAndCall(to: Address, amount: bigint, data: Hex): Hex {
  const tokenAbi = parseAbi(['function transferAndCall(address to, uint256 value, bytes data) returns (bool)'])
  return encodeFunctionData({ abi: tokenAbi, functionName: 'transferAndCall', args: [to, amount, data] })
}

/** Base units that an account holds. */
export async function tokensOf(world: LocalChain, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [account] })
  return BigInt(await world.chain.call({ to: world.token, data }))
}

export function escrowCall(world: LocalChain, functionName: 'requestClose' | 'withdraw', id: Hash) {
  return { to: world.escrow, data: encodeFunctionData({ abi, functionName, args: [id] }) }
}

/** Waits for a fact. Ends the test with its own timeout. */
export async function until(fact: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await fact())) await new Promise((resolve) => setTimeout(resolve, 5))
}

export type Market = { readonly world: LocalChain; readonly receiver: Receiver; readonly shop: Shop }

/** A chain, a receiver and its shop for one test file, closed after its tests. */
export async function openMarket(): Promise<Market> {
  const world = await startWorld()
  const receiver = await newReceiver(world)
  const shop = await openShop(receiver)
  afterAll(async () => {
    await shop.close()
    await receiver.stop()
    await world.anvil.stop()
  })
  return { world, receiver, shop }
}

/** A local chain that is looked at often, so that tests do not wait. */
export function startWorld(options: LocalChainOptions = {}): Promise<LocalChain> {
  return startLocalChain({ pollMs: 10, ...options })
}
