/** A person pays in a browser: real pages, a real wallet's signatures, a real chain. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tokensOf, until } from '../support/market.ts'
import { accountOf, charged, openStall, press, PRICE, putIn, sees, street, TOKENS, type Stall } from './stall.ts'

const here = street()
let stall: Stall

beforeAll(async () => {
  stall = await openStall(here.world)
})
afterAll(() => stall.close())

describe('a person with a wallet', () => {
  it('opens a channel and pays, then pays without a transaction', async () => {
    const visitor = await here.arrive(`${stall.url}/weather`)
    await sees(visitor, 'This page costs 0.000005 FARDEMO')
    await putIn(visitor, '0.00002')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([5n])
    expect(visitor.count('eth_sendTransaction')).toBe(1)

    await visitor.page.goto(`${stall.url}/weather`)
    await sees(visitor, '0.00001 FARDEMO in all')
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([10n])
    expect(visitor.count('eth_sendTransaction')).toBe(1)
    expect(visitor.count('eth_signTypedData')).toBe(2)
  })

  it('is asked again before the next page, whatever the cookies of the last payment say', async () => {
    const visitor = await here.arrive(`${stall.url}/weather`)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'sunny')
    await visitor.page.reload()
    await sees(visitor, 'A moment ago you paid 0.000005 FARDEMO for this page.')
    await visitor.page.goto(`${stall.url}/tomorrow`)
    await press(visitor, 'Top up')
    await sees(visitor, 'Add to the deposit')
    expect(await charged(stall, visitor)).toEqual([5n])
    expect(visitor.count('eth_signTypedData')).toBe(1)
  })

  it('tops up when the deposit is used up', async () => {
    const visitor = await here.arrive(stall.url)
    await putIn(visitor, '0.000005')
    await sees(visitor, 'sunny')
    await visitor.page.goto(stall.url)
    await sees(visitor, 'Not enough is left')
    await putIn(visitor, '0.000001', 'Top up and pay')
    await sees(visitor, 'At least 0.000005 FARDEMO are needed.')
    await putIn(visitor, '0.00001', 'Top up and pay')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([10n])
  })

  it('that lost its records is shown what it has signed, and pays from there', async () => {
    const first = await here.arrive(stall.url)
    await putIn(first, '0.0001')
    await sees(first, 'sunny')
    await first.page.goto(stall.url)
    await press(first, 'Pay 0.000005 FARDEMO')
    await sees(first, 'sunny')

    const visitor = await here.arrive(stall.url, { ...first.keys, asked: [] })
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'The server showed the last total that you have signed.')
    expect(await charged(stall, visitor)).toEqual([10n])
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([15n])
    expect(visitor.count('eth_sendTransaction')).toBe(0)
  })

  it('says no, and nothing changes', async () => {
    const visitor = await here.arrive(stall.url)
    visitor.keys.denied.add('eth_sendTransaction')
    await putIn(visitor, '0.0001')
    await sees(visitor, 'You said no in the wallet.')
    expect(await tokensOf(here.world, accountOf(visitor))).toBe(TOKENS)

    visitor.keys.denied.clear()
    visitor.keys.denied.add('eth_signTypedData')
    await putIn(visitor, '0.0001')
    await sees(visitor, 'Left in your channel')
    await sees(visitor, 'You said no in the wallet.')
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await until(() => visitor.count('eth_signTypedData') === 2)
    await press(visitor, 'Top up') // which can be pressed when the wallet has answered
    await press(visitor, 'Back')
    const cookies = await visitor.page.context().cookies()
    expect(cookies.map(({ name }) => name)).not.toContain('RDN-Balance-Signature')

    visitor.keys.denied.clear()
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(visitor.count('eth_sendTransaction')).toBe(2)
  })

  it('closes and gets the rest back, to the unit', async () => {
    const visitor = await here.arrive(stall.url)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'sunny')
    await visitor.page.goto(stall.url)
    await press(visitor, 'Close')
    await sees(visitor, 'The seller gets 0.000005 FARDEMO in all')
    await press(visitor, 'Close the channel')
    await sees(visitor, 'The channel is closed. 0.000095 FARDEMO went back to your account.')
    expect(await tokensOf(here.world, accountOf(visitor))).toBe(TOKENS - PRICE)
    await sees(visitor, 'Put in a deposit once')
  })

  it('with two tabs signs every total once', async () => {
    const visitor = await here.arrive(stall.url)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'sunny')
    const tabs = [{ page: await visitor.page.context().newPage() }, { page: await visitor.page.context().newPage() }]
    for (const tab of tabs) {
      await tab.page.goto(stall.url)
      await sees(tab, 'Pay 0.000005 FARDEMO')
    }
    const [one, other] = tabs
    await press(one!, 'Pay 0.000005 FARDEMO')
    await sees(one!, 'sunny')
    await sees(other!, '0.000015 FARDEMO in all')
    await press(other!, 'Pay 0.000005 FARDEMO')
    await sees(other!, 'sunny')
    expect(await charged(stall, visitor)).toEqual([15n])
    expect(visitor.count('eth_signTypedData')).toBe(3)
  })

  it('that changes the account in the wallet is shown the channel of that one, and signs for no other', async () => {
    const visitor = await here.arrive(stall.url)
    const [one, other] = [visitor.keys.accounts, (await here.keys()).accounts]
    await putIn(visitor, '0.0001')
    await sees(visitor, 'sunny')
    await visitor.page.goto(stall.url)
    await sees(visitor, '0.00001 FARDEMO in all')
    visitor.keys.accounts = other
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'The wallet shows another account now.')
    await sees(visitor, 'Put in a deposit once')
    expect(visitor.count('eth_signTypedData')).toBe(1)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([5n])

    await visitor.page.goto(stall.url)
    await sees(visitor, '0.00001 FARDEMO in all')
    visitor.keys.accounts = [...(await here.keys()).accounts]
    const tell = () => visitor.page.evaluate(() => window.dispatchEvent(new Event('test-wallet:accounts')))
    await tell()
    await sees(visitor, 'Put in a deposit once')
    visitor.keys.accounts = one
    await tell()
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([10n])
    expect(visitor.count('eth_sendTransaction')).toBe(2)
  })

  it('on another network is taken to that of the seller', async () => {
    const visitor = await here.arrive(stall.url, { ...(await here.keys()), chainId: 1 })
    await sees(visitor, 'Your wallet is on the network 1.')
    await press(visitor, `Change to network ${here.world.chainId}`)
    await sees(visitor, 'Put in a deposit once')
  })

  it('pays sums that no float can hold', async () => {
    const price = 12_345_678_901_234_567_891n
    const dear = await openStall(here.world, { price })
    const visitor = await here.arrive(dear.url, await here.keys(3n * price))
    await putIn(visitor, '24691357802469.135782')
    await sees(visitor, 'sunny')
    await visitor.page.goto(dear.url)
    await press(visitor, 'Pay 12,345,678,901,234.567891 FARDEMO')
    await sees(visitor, 'sunny')
    expect(await charged(dear, visitor)).toEqual([2n * price])
    await dear.close()
  })
})

describe('the script of the page', () => {
  it('is small', () => {
    expect(gzipSync(readFileSync('dist/web/paywall.js')).length).toBeLessThan(60_000)
  })
})
