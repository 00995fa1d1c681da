/** A proxy that sells an upstream, a buyer of it, and what the upstream got to see. */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll } from 'vitest'
import { createProxy, type Routes } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import type { LogLevel } from '../../src/base/log.ts'
import { listen, newBuyer, newReceiver, startWorld, type Buyer } from '../support/market.ts'
import { authorization, challengeOf, requestOf } from '../support/wire.ts'
import { ask, type RawAnswer } from './raw.ts'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Reseller = {
  readonly url: string
  readonly receiver: Receiver
  readonly buyer: Buyer
  /** Requests that reached the upstream, in order, and what was logged of failures. */
  readonly seen: Seen[]
  readonly logged: { readonly event: string; readonly details: Readonly<Record<string, string | number>> }[]
  /** How the upstream answers; set by each test. */
  answer: (request: IncomingMessage, response: ServerResponse) => unknown
  charged(): Promise<bigint>
  /** Headers that pay what is asked for this target. */
  paying(method: string, target: string): Promise<{ authorization: string }>
  /** Pays what is asked for `offered`, and asks for `target` with that. */
  buy(method: string, target: string, options?: BuyOptions): Promise<RawAnswer>
}

export type BuyOptions = { headers?: Record<string, string | string[]>; body?: string; offered?: string }

/** `routes` gets the URL of the upstream. All is closed after the tests of the file. */
export async function openReseller(routes: (upstream: string) => Routes): Promise<Reseller> {
  const world = await startWorld()
  const logged: Reseller['logged'] = []
  const log = (_level: LogLevel, event: string, details = {}) => void logged.push({ event, details })
  const receiver = await newReceiver(world, { log })
  const seen: Seen[] = []
  const upstream = await listen((request, response) => {
    void (async () => {
      const { method = '', url = '', headers } = request
      const chunks: Buffer[] = []
      if (url.includes('stream')) seen.push({ method, url, headers, body: '' })
      else {
        for await (const chunk of request) chunks.push(chunk as Buffer)
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      }
      await reseller.answer(request, response)
    })()
  })
  const proxy = createProxy({ receiver, routes: routes(upstream.url) })
  const url = await proxy.listen(0)
  const buyer = await newBuyer(world, receiver, 1_000_000n)
  const charged = async () => (await buyer.known())!.charged
  const paying = async (method: string, target: string) => {
    const { headers } = await ask(url, method, target)
    const challenge = challengeOf(new Response(null, { headers: { 'www-authenticate': headers['www-authenticate']! } }))
    const voucher = await buyer.voucher((await charged()) + BigInt(requestOf(challenge).amount))
    return { authorization: authorization(challenge, voucher) }
  }
  const buy: Reseller['buy'] = async (method, target, { headers, body, offered = target } = {}) =>
    ask(url, method, target, { ...headers, ...(await paying(method, offered)) }, body)
  afterAll(async () => {
    await proxy.close()
    await receiver.stop()
    await upstream.close()
    await world.anvil.stop()
  })
  const answer: Reseller['answer'] = (_request, response) => response.end('content')
  const reseller: Reseller = { url, receiver, buyer, seen, logged, answer, charged, paying, buy }
  return reseller
}
