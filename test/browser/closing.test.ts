/** A person leaves, and gets back what was not spent, to the unit. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAccount, rpc, tokensOf } from '../support/market.ts'
import { accountOf, charged, openStall, press, PRICE, putIn, sees, street, TOKENS, type Stall } from './stall.ts'
import type { Visitor } from './visitor.ts'

const here = street()
let stall: Stall
let silent: Stall

beforeAll(async () => {
  stall = await openStall(here.world)
  const { address } = await newAccount(here.world)
  silent = await openStall(here.world, { withGateway: false, address }) // without a key it cannot answer on chain either
})
afterAll(() => Promise.all([stall.close(), silent.close()]))

async function payOnce(url: string): Promise<Visitor> {
  const visitor = await here.arrive(url)
  await putIn(visitor, '0.0001')
  await sees(visitor, 'sunny')
  await visitor.page.goto(url)
  return visitor
}

it('at what was charged, when a signature never reached the seller', async () => {
  const visitor = await payOnce(stall.url)
  await visitor.page.route('**/lost', (route) => route.abort())
  await visitor.page.evaluate(() => history.replaceState(null, '', '/lost'))
  const lost = visitor.page.waitForEvent('requestfailed')
  await press(visitor, 'Pay 0.000005 FARDEMO')
  await lost
  await visitor.page.context().clearCookies()
  visitor.page = await visitor.page.context().newPage()
  await visitor.page.goto(stall.url)
  await press(visitor, 'Close')
  await sees(visitor, 'The seller gets 0.00001 FARDEMO in all')
  await press(visitor, 'Close the channel')
  await sees(visitor, 'The channel is closed. 0.000095 FARDEMO went back to your account.')
  expect(await tokensOf(here.world, accountOf(visitor))).toBe(TOKENS - PRICE)
})

it('alone, when the seller does not agree, with what is owed', async () => {
  const visitor = await payOnce(silent.url)
  await press(visitor, 'Close')
  await press(visitor, 'Close the channel')
  await sees(visitor, 'The seller did not agree')
  await press(visitor, 'Request the close')
  await sees(visitor, 'In 501 blocks the rest of the 0.0001 FARDEMO is yours to take.')
  await rpc(here.world, 'anvil_mine', '0x1f5')
  await press(visitor, 'Look again')
  await press(visitor, 'Take the rest')
  await sees(visitor, 'The channel is closed. Its rest is in your account.')
  expect(await tokensOf(here.world, accountOf(visitor))).toBe(TOKENS - PRICE)
})

it('forgets in this browser, and finds everything again', async () => {
  const visitor = await payOnce(stall.url)
  await press(visitor, 'Forget')
  await press(visitor, 'Forget')
  await sees(visitor, 'Left in your channel')
  expect((await visitor.page.context().cookies()).map(({ name }) => name)).not.toContain('RDN-Balance-Signature')
  await press(visitor, 'Pay 0.000005 FARDEMO')
  await sees(visitor, 'The server showed the last total that you have signed.')
  expect(await charged(stall, visitor)).toEqual([5n])
  await press(visitor, 'Pay 0.000005 FARDEMO')
  await sees(visitor, 'sunny')
  expect(await charged(stall, visitor)).toEqual([10n])
})
