/** A seller for people: a shop with the payment page, and those who come to it, watched. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Browser } from 'playwright-core'
import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { paid } from '../../src/adapter/node.ts'
import { paywall } from '../../src/adapter/paywall.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { Receiver, ReceiverConfig } from '../../src/receiver/receiver.ts'
import { listen, newAccount, newReceiver, raidenRail, startWorld } from '../support/market.ts'
import { build, keysOf, launch, visit, type Keys, type Visitor } from './visitor.ts'

export const PRICE = 5n
/** What a new person has. */
export const TOKENS = 1_000_000n

export type Stall = {
  readonly receiver: Receiver
  readonly url: string
  close(): Promise<void>
}

export type StallOptions = Partial<ReceiverConfig> & { readonly price?: bigint; readonly withGateway?: boolean }

/** Sells sunshine at one price on every path. */
export async function openStall(world: LocalChain, options: StallOptions = {}): Promise<Stall> {
  const { price = PRICE, withGateway = true, ...config } = options
  const { page, mount } = paywall()
  const receiver = await newReceiver(world, { page, rails: [raidenRail(world)], ...config })
  const gateway = createGateway(receiver)
  const sell = paid(receiver, price, (_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<h1>sunny</h1>')
  })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (await mount.serve(request, response)) return
    if (withGateway && (await gateway.serve(request, response))) return
    sell(request, response)
  }
  const { url, close } = await listen((request, response) => void serve(request, response))
  return {
    receiver,
    url,
    close: async () => {
      await close()
      await receiver.stop()
    },
  }
}

export type Street = {
  readonly world: LocalChain
  /** Somebody new, or somebody with these keys in another browser, before the offer of a page. */
  arrive(url: string, keys?: Keys): Promise<Visitor>
  keys(tokens?: bigint): Promise<Keys>
}

/** A chain and a browser for one test file. After each test: nobody was asked elsewhere, and no policy was broken. */
export function street(): Street {
  let browser: Browser
  let world: LocalChain
  const visitors: Visitor[] = []
  beforeAll(async () => {
    await build()
    ;[browser, world] = await Promise.all([launch(), startWorld()])
  })
  afterAll(async () => {
    await browser.close()
    await world.anvil.stop()
  })
  afterEach(async () => {
    const seen = visitors.splice(0)
    await Promise.all(seen.map((visitor) => visitor.leave()))
    expect(seen.flatMap(({ strays }) => strays)).toEqual([])
    expect(seen.flatMap(({ faults }) => faults)).toEqual([])
  })
  const keys = async (tokens = TOKENS) => keysOf(world, await newAccount(world, tokens))
  return {
    get world() {
      return world
    },
    keys,
    arrive: async (url, given) => {
      const visitor = await visit(browser, world, new URL(url).origin, given ?? (await keys()))
      visitors.push(visitor)
      await visitor.page.goto(url)
      if (!visitor.keys.connected) await press(visitor, 'Connect Test Wallet')
      return visitor
    },
  }
}

export async function press({ page }: Pick<Visitor, 'page'>, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
}

export async function sees({ page }: Pick<Visitor, 'page'>, words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor()
}

/** `amount` in tokens, as a person writes it. */
export async function putIn(visitor: Visitor, amount: string, act = 'Deposit and pay'): Promise<void> {
  await visitor.page.getByRole('textbox').fill(amount)
  await press(visitor, act)
}

export function accountOf({ keys }: Pick<Visitor, 'keys'>): Address {
  return keys.accounts[0]!.address
}

/** What the receiver charged a person, channel by channel. */
export async function charged({ receiver }: Stall, visitor: Visitor): Promise<bigint[]> {
  const found: bigint[] = []
  for await (const channel of receiver.channels())
    if (channel.sender === accountOf(visitor).toLowerCase()) found.push(channel.charged)
  return found
}
