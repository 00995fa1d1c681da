/** A person pays in a browser: real pages, a real wallet's signatures, a real chain. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import type { Address } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { paid } from '../../src/adapter/node.ts'
import { paywall } from '../../src/adapter/paywall.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newAccount, newReceiver, raidenRail, startWorld, tokensOf } from '../support/market.ts'
import { build, keysOf, launch, visit, type Visitor } from './visitor.ts'

const PRICE = 5n
const TOKENS = 1_000_000n

let browser: Browser
let world: LocalChain
let receiver: Receiver
let shop: { url: string; close(): Promise<void> }
const visitors: Visitor[] = []

beforeAll(async () => {
  await build()
  ;[browser, world] = await Promise.all([launch(), startWorld()])
  const { page, mount } = paywall()
  receiver = await newReceiver(world, { page, rails: [raidenRail(world)] })
  const gateway = createGateway(receiver)
  const sell = paid(receiver, PRICE, (_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<h1>sunny</h1>')
  })
  shop = await listen((request, response) => {
    void (async () => {
      if (await mount.serve(request, response)) return
      if (await gateway.serve(request, response)) return
      sell(request, response)
    })()
  })
})

afterAll(async () => {
  await browser.close()
  await shop.close()
  await receiver.stop()
  await world.anvil.stop()
})

afterEach(async () => {
  const seen = visitors.splice(0)
  await Promise.all(seen.map((visitor) => visitor.leave()))
  expect(seen.flatMap(({ strays }) => strays)).toEqual([])
  expect(seen.flatMap(({ faults }) => faults)).toEqual([])
})

/** A new person, connected, before the offer of `path`. */
async function arrive(path = '/weather', keys?: Visitor['keys']): Promise<Visitor> {
  const visitor = await visit(browser, world, shop.url, keys ?? keysOf(world, await newAccount(world, TOKENS)))
  visitors.push(visitor)
  await visitor.page.goto(`${shop.url}${path}`)
  if (!visitor.keys.connected) await press(visitor, 'Connect Test Wallet')
  return visitor
}

async function press({ page }: Visitor, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
}

async function deposit(visitor: Visitor, amount: string, act = 'Deposit and pay'): Promise<void> {
  await visitor.page.getByRole('textbox').fill(amount)
  await press(visitor, act)
}

async function sees({ page }: Visitor, words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor()
}

/** Loads the page again, as a person does who wants it once more. */
async function again(visitor: Visitor, path = '/weather'): Promise<void> {
  await visitor.page.goto(`${shop.url}${path}`)
}

function accountOf({ keys }: Visitor): Address {
  return keys.accounts[0]!.address
}

async function charged(visitor: Visitor): Promise<bigint[]> {
  const found: bigint[] = []
  for await (const channel of receiver.channels())
    if (channel.sender === accountOf(visitor).toLowerCase()) found.push(channel.charged)
  return found
}

describe('a person with a wallet', () => {
  it('opens a channel and pays, then pays without a transaction', async () => {
    const visitor = await arrive()
    await sees(visitor, 'This page costs 0.000005 FARDEMO')
    await deposit(visitor, '0.00002')
    await sees(visitor, 'sunny')
    expect(await charged(visitor)).toEqual([5n])
    expect(visitor.count('eth_sendTransaction')).toBe(1)

    await again(visitor)
    await sees(visitor, '0.00001 FARDEMO')
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(visitor)).toEqual([10n])
    expect(visitor.count('eth_sendTransaction')).toBe(1)
    expect(visitor.count('eth_signTypedData')).toBe(2)
  })

  it('tops up when the deposit is used up', async () => {
    const visitor = await arrive()
    await deposit(visitor, '0.000005')
    await sees(visitor, 'sunny')
    await again(visitor)
    await sees(visitor, 'Not enough is left')
    await deposit(visitor, '0.000001', 'Top up and pay')
    await sees(visitor, 'At least 0.000005 FARDEMO are needed.')
    await deposit(visitor, '0.00001', 'Top up and pay')
    await sees(visitor, 'sunny')
    expect(await charged(visitor)).toEqual([10n])
  })

  it('that lost its records is shown what it has signed, and pays from there', async () => {
    const first = await arrive()
    await deposit(first, '0.0001')
    await sees(first, 'sunny')
    await again(first)
    await press(first, 'Pay 0.000005 FARDEMO')
    await sees(first, 'sunny')

    const visitor = await arrive('/weather', { ...first.keys, asked: [] })
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'The server showed the last total that you have signed.')
    expect(await charged(visitor)).toEqual([10n])
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(visitor)).toEqual([15n])
    expect(visitor.count('eth_sendTransaction')).toBe(0)
  })

  it('says no, and nothing changes', async () => {
    const visitor = await arrive()
    visitor.keys.denied.add('eth_sendTransaction')
    await deposit(visitor, '0.0001')
    await sees(visitor, 'You said no in the wallet.')
    expect(await tokensOf(world, accountOf(visitor))).toBe(TOKENS)

    visitor.keys.denied.clear()
    visitor.keys.denied.add('eth_signTypedData')
    await deposit(visitor, '0.0001')
    await sees(visitor, 'Left in your channel')
    await sees(visitor, 'You said no in the wallet.')
    expect(await charged(visitor)).toEqual([0n])
    expect(await visitor.page.context().cookies()).not.toContainEqual(
      expect.objectContaining({ name: 'RDN-Balance-Signature' }),
    )
    visitor.keys.denied.clear()
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(visitor.count('eth_sendTransaction')).toBe(2)
  })

  it('closes and gets the rest back, to the unit', async () => {
    const visitor = await arrive()
    await deposit(visitor, '0.0001')
    await sees(visitor, 'sunny')
    await again(visitor)
    await press(visitor, 'Close')
    await sees(visitor, 'The seller gets 0.000005 FARDEMO in all')
    await press(visitor, 'Close the channel')
    await sees(visitor, 'The channel is closed. 0.000095 FARDEMO went back to your account.')
    expect(await tokensOf(world, accountOf(visitor))).toBe(TOKENS - PRICE)
    await sees(visitor, 'Put in a deposit once')
  })
})

describe('the script of the page', () => {
  it('is small', () => {
    const size = gzipSync(readFileSync('dist/web/paywall.js')).length
    expect(size).toBeLessThan(60_000)
  })
})
