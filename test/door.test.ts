/** A crowd that does not pay, and somebody who does: the crowd waits. */
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { paid } from '../src/adapter/node.ts'
import type { Ask } from '../src/receiver/ask.ts'
import { admit } from '../src/receiver/pay.ts'
import { challengeOf } from './support/wire.ts'
import { listen, newBuyer, openMarket, until } from './support/market.ts'

const { world, receiver, shop } = await openMarket()

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A shop that counts, and knows how much of a crowd was answered when its handler ran. */
async function openCountingDoor() {
  const seen = { received: 0, answered: 0, whenServed: -1 }
  const sell = paid(receiver, 5n, (_request, response) => {
    seen.whenServed = seen.answered
    response.end('foo')
  })
  const { url, close } = await listen((request, response) => {
    seen.received += 1
    response.once('finish', () => (seen.answered += 1))
    sell(request, response)
  })
  endings.push(close)
  return { url, seen }
}

/** Sends `times` requests at once, without waiting for answers. */
async function pour(url: string, times: number, lines: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).resume()
  endings.push(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(`GET /x HTTP/1.1\r\nHost: door.test\r\n${lines}\r\n`.repeat(times))
}

describe('somebody who pays', () => {
  it.each([
    ['pays nothing', ''],
    ['pays with what is no payment', 'Authorization: Payment e30\r\n'],
  ])('is served before a crowd that %s', async (_what, lines) => {
    const buyer = await newBuyer(world, receiver)
    const { url, seen } = await openCountingDoor()
    const headers = await buyer.headers(`${url}/x`, 5n)
    const before = seen.received
    await pour(url, 2_000, lines)
    while (seen.received === before) await new Promise((resolve) => setImmediate(resolve))
    const response = await fetch(`${url}/x`, { headers })
    expect(response.status).toBe(200)
    expect(seen.whenServed).toBeLessThan(1_000)
    await until(() => seen.answered === seen.received)
    expect(seen.received).toBe(before + 2_001)
  })

  it('waits in line where the last payment was refused, and then no longer', async () => {
    const buyer = await newBuyer(world, receiver)
    const challenge = challengeOf(await fetch(`${shop.url}/x`))
    const ask = async (amount: bigint, connection: object, change = {}) => {
      const headers = new Headers(await buyer.headers(shop.url, amount, { challenge, change }))
      return { method: 'GET', target: '/x', headers, connection, body: () => Promise.resolve(new Uint8Array()) }
    }
    const decide = (asked: Ask) => admit(receiver, asked, { price: 5n, resource: 'GET /x', holds: false })
    /** How many of a thousand in the line were looked after before the payment was taken. */
    const before = async (asked: Ask) => {
      let passed = 0
      const line = Array.from({ length: 1_000 }, () => receiver.live.door.turn().then(() => (passed += 1)))
      expect(await decide(asked)).toHaveProperty('sale')
      const then = passed
      await Promise.all(line)
      return then
    }
    const [one, other] = [{}, {}]
    const signature = `0x11${'22'.repeat(63)}1b`
    expect(await decide(await ask(5n, one, { signature }))).toMatchObject({ answer: { status: 402 } })
    expect(await before(await ask(5n, other))).toBeLessThan(500)
    expect(await before(await ask(10n, one))).toBe(1_000)
    expect(await before(await ask(15n, one))).toBeLessThan(500)
  })
})
