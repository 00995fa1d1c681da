/** What servers may say to the page: the slow, the mistaken, the lying, the greedy. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { privateKeyToAccount, sign } from 'viem/accounts'
import { afterAll, describe, expect, it } from 'vitest'
import { paywall } from '../../src/adapter/paywall.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { bytesToHex } from '../../src/base/encode.ts'
import { raiden } from '../../src/escrow/raiden.ts'
import { listen, rpc, until } from '../support/market.ts'
import { accountOf, charged, openStall, press, putIn, sees, street } from './stall.ts'

const here = street()
const closing: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

const RECEIVER = '0x00000000000000000000000000000000000000aa'

type Paid = ReadonlyMap<string, string>

/** A server that never delivers, and says in cookies what `told` returns for what it is paid with. */
async function openTrap(told: (paid: Paid) => Promise<Record<string, string>>) {
  const { page, mount } = paywall()
  const { chainId, token, raiden: escrow } = here.world
  const offers = [{ protocol: 'rdn', price: '5', token, receiver: RECEIVER, escrow, chainId }]
  const payments: Paid[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (await mount.serve(request, response)) return
    const pairs = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('='))
    const paid = new Map(pairs.map(([name = '', value = '']) => [name, value]))
    if (paid.has('RDN-Balance-Signature')) payments.push(paid)
    const cookies = Object.entries(await told(paid)).map(([name, value]) => `${name}=${value}; Path=/`)
    const { html, policy } = page({ status: 402, target: request.url ?? '/', offers, message: 'Pay.' })
    response.writeHead(402, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy, 'Set-Cookie': cookies })
    response.end(html)
  }
  const { url, close } = await listen((request, response) => void serve(request, response))
  closing.push(close)
  return { url, payments, totals: () => payments.map((paid) => paid.get('RDN-Sender-Balance')) }
}

describe('a server', () => {
  it('that shows a signature of somebody else is not believed', async () => {
    const stranger = `0x${'11'.repeat(32)}` as const
    const { chainId, raiden: address, token } = here.world
    const digest = raiden.digester({ chainId, address, token })
    const trap = await openTrap(async (paid) => {
      const openBlock = Number(paid.get('RDN-Open-Block') ?? 0)
      const channel = { receiver: RECEIVER, terms: { openBlock } } as never
      const signature = await sign({ hash: bytesToHex(digest(channel, 100n)), privateKey: stranger, to: 'hex' })
      return { 'RDN-Invalid-Amount': '1', 'RDN-Sender-Balance': '100', 'RDN-Balance-Signature': signature }
    })
    const visitor = await here.arrive(trap.url)
    await putIn(visitor, '0.001')
    await sees(visitor, 'The server counts another total, but shows no signature of yours for it.')
    await sees(visitor, '0.00001 FARDEMO in all')
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await until(() => trap.totals().includes('10'))
    expect(trap.totals()).not.toContain('105')
    expect(privateKeyToAccount(stranger).address).not.toBe(accountOf(visitor))
  })

  it('that takes and takes gets one signature for each press of the button', async () => {
    const trap = await openTrap(() => Promise.resolve({}))
    const visitor = await here.arrive(trap.url)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'A moment ago you paid 0.000005 FARDEMO for this page.')
    await sees(visitor, '0.00001 FARDEMO in all')
    expect(visitor.count('eth_signTypedData')).toBe(1)
    await press(visitor, 'Pay 0.000005 FARDEMO')
    await sees(visitor, '0.000015 FARDEMO in all')
    expect(visitor.count('eth_signTypedData')).toBe(2)
    expect(trap.totals()).toEqual(['5', '10'])
  })

  it('that never takes the deposit is asked a bounded number of times, and then when the person wants it', async () => {
    const trap = await openTrap(() => Promise.resolve({ 'RDN-Insufficient-Confirmations': '1' }))
    const visitor = await here.arrive(trap.url)
    // The page counts its tries here; so many times it would try for minutes.
    await visitor.page.addInitScript(() => {
      const sent = sessionStorage.getItem('farthing:sent')
      if (sent !== null) sessionStorage.setItem('farthing:sent', JSON.stringify({ ...JSON.parse(sent), tries: 75 }))
    })
    await putIn(visitor, '0.0001')
    await sees(visitor, 'The server still does not take the deposit. Your payment is signed and not used.')
    await sees(visitor, /The deposit has been on the chain for \d+ blocks\. Ask the seller, or try again later\./)
    expect(trap.totals()).toEqual(['5'])
    await press(visitor, 'Try again')
    await until(() => trap.totals().length === 2)
    await sees(visitor, 'The server still does not take the deposit.')
    expect(trap.totals()).toEqual(['5', '5'])
    expect(visitor.count('eth_signTypedData')).toBe(1)
  })

  it('that waits for confirmations is waited for, with one signature', async () => {
    const chain = createChain({ rpc: here.world.anvil.url, confirmations: 4, pollMs: 10 })
    const stall = await openStall(here.world, { chain })
    closing.push(() => stall.close())
    const visitor = await here.arrive(stall.url)
    await putIn(visitor, '0.0001')
    await sees(visitor, 'The server waits until your deposit is deep enough in the chain.')
    await rpc(here.world, 'anvil_mine', '0x4')
    await sees(visitor, 'sunny')
    expect(await charged(stall, visitor)).toEqual([5n])
    expect(visitor.count('eth_signTypedData')).toBe(1)
  })

  it('of a contract that is none cannot be paid', async () => {
    const { raiden: escrow, token } = here.world
    const trap = await openTrap(() => Promise.resolve({}))
    const visitor = await here.arrive(trap.url)
    await visitor.page.route(`${trap.url}/`, async (route) => {
      const response = await route.fetch()
      const body = (await response.text()).replaceAll(escrow, token).replaceAll(escrow.toLowerCase(), token)
      await route.fulfill({ response, body })
    })
    await visitor.page.reload()
    await sees(visitor, 'This cannot be paid here')
    expect(visitor.count('eth_sendTransaction')).toBe(0)
  })
})

describe('the page', () => {
  it('deposits in two transactions where the token does not tell of transfers', async () => {
    const stall = await openStall(here.world)
    closing.push(() => stall.close())
    const visitor = await here.arrive(stall.url, { ...(await here.keys()), plainToken: true })
    await putIn(visitor, '0.000005')
    await sees(visitor, 'sunny')
    expect(visitor.count('eth_sendTransaction')).toBe(2)
    await visitor.page.goto(stall.url)
    await putIn(visitor, '0.00001', 'Top up and pay')
    await sees(visitor, 'sunny')
    expect(visitor.count('eth_sendTransaction')).toBe(4)
    expect(await charged(stall, visitor)).toEqual([10n])
  })

  it('says in words what to do, without a script and to whoever reads the answer', async () => {
    const stall = await openStall(here.world)
    closing.push(() => stall.close())
    const response = await fetch(`${stall.url}/a"><script>b`, { headers: { accept: 'text/html' } })
    expect(response.status).toBe(402)
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'; script-src 'self';")
    expect(policy).toContain("connect-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    const html = await response.text()
    expect(html).toContain('This page costs 5 base units of a token')
    expect(html).toContain('npx farthing get')
    expect(html).not.toContain('<script>')
    expect(html.match(/<script/g)).toHaveLength(1)
  })

  it('serves its files once for every version', async () => {
    const { page, mount } = paywall({ path: '/pay', connect: ['https://wallet.example'] })
    const { html, policy } = page({ status: 402, target: '/', offers: [], message: 'Pay.' })
    expect(html).not.toContain('<script')
    expect(policy).toContain("connect-src 'self' https://wallet.example")
    const { url, close } = await listen((request, response) => {
      void mount.serve(request, response).then((isServed) => !isServed && response.writeHead(404).end())
    })
    closing.push(close)
    const [, style = ''] = /href="(\/pay\/[^"]+)"/.exec(html) ?? []
    const versioned = await fetch(`${url}${style}`)
    expect(versioned.headers.get('cache-control')).toContain('immutable')
    expect((await fetch(`${url}/pay/paywall.js`)).headers.get('cache-control')).toBe('no-cache')
    expect((await fetch(`${url}/pay/paywall.js`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${url}/pay/other.js`)).status).toBe(404)
  })

  it.each([
    [{ path: 'pay' }, 'path: use a path'],
    [{ path: '/pay/' }, 'path: use a path'],
    [{ connect: ["'unsafe-inline'"] }, 'connect[0]: use an origin'],
  ])('refuses %o', (options, message) => {
    expect(() => paywall(options)).toThrow(message)
  })
})
