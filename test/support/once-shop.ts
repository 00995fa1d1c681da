/** A shop whose receiver can be cut off in the middle and started again, over real sockets or within the process. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { paid as paidNode } from '../../src/adapter/node.ts'
import { paid as paidWeb } from '../../src/adapter/web.ts'
import type { Wallet } from '../../src/chain/chain.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import type { AnyRail } from '../../src/receiver/rail.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import type { Paid } from '../../src/receiver/sale.ts'
import type { Store } from '../../src/store/store.ts'
import { listen, newReceiver } from './market.ts'
import { PRICE } from './once-model.ts'

/** Decides what becomes of one run, by the id that its request carries. */
export type Till = (id: string, paid: Paid, receiver: Receiver) => Promise<'answers' | 'fails' | 'tears'>

export type Counter = {
  readonly receiver: Receiver
  ask(path: string, init: RequestInit): Promise<Response>
  /** Ends as a crash would: nobody hears anything more of what was under way, and it writes nothing more. */
  cut(): Promise<void>
}

export type Front = (
  receiver: Receiver,
  till: Till,
) => Promise<Omit<Counter, 'receiver' | 'cut'> & { stop(): Promise<void> }>

const price = { upTo: PRICE }

export const overSockets: Front = async (receiver, till) => {
  const serve = async (request: IncomingMessage, response: ServerResponse, paid?: Paid) => {
    const id = String(request.headers['x-id'])
    const end = await till(id, paid!, receiver)
    if (end === 'fails') throw new Error('the handler failed')
    if (end === 'answers') return response.end(id)
    response.write('torn')
    return response.destroy()
  }
  const once = paidNode(receiver, price, serve)
  const again = paidNode(receiver, price, serve, { repeatable: true })
  const { url, close } = await listen((request, response) => {
    const listener = request.url === '/again' ? again : once
    listener(request, response)
  })
  return { ask: (path, init) => fetch(`${url}${path}`, init), stop: close }
}

export const withinTheProcess: Front = (receiver, till) => {
  const serve = async (request: Request, paid?: Paid) => {
    const id = request.headers.get('x-id')!
    const end = await till(id, paid!, receiver)
    if (end === 'fails') throw new Error('the handler failed')
    return new Response(end === 'answers' ? id : tornBody())
  }
  const once = paidWeb(receiver, price, serve)
  const again = paidWeb(receiver, price, serve, { repeatable: true })
  return Promise.resolve({
    ask: (path, init) => (path === '/again' ? again : once)(new Request(`http://shop.test${path}`, init)),
    stop: () => Promise.resolve(),
  })
}

function tornBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('torn')),
    pull: () => Promise.reject(new TypeError('terminated')),
  })
}

export type Setting = {
  readonly world: LocalChain
  readonly wallet: Wallet
  readonly rail: AnyRail
  readonly front: Front
  readonly till: Till
  /** Opens what an earlier counter has left. */
  readonly open: () => Store
}

export async function openCounter({ world, wallet, rail, front, till, open }: Setting): Promise<Counter> {
  const store = open()
  const receiver = await newReceiver(world, { store, wallet, rails: [rail] })
  const { ask, stop } = await front(receiver, till)
  let end: (error: Error) => void = () => undefined
  const ended = new Promise<never>((_, reject) => (end = reject))
  ended.catch(() => undefined)
  return {
    receiver,
    ask: (path, init) => Promise.race([ask(path, init), ended]),
    cut: async () => {
      end(new TypeError('cut off'))
      await stop()
      await receiver.stop()
      await store.close()
    },
  }
}
