/** The process that the load comes from. It signs before the clock starts and checks every answer. */
import { serveParent } from '../process/answer.ts'
import { PRICE, type RailName, type World } from '../world.ts'
import { buyerOf, freeRequest, type Buyer } from './buyer.ts'
import { sendAtPace, type Pace } from './pace.ts'
import { peerBuyer, type PeerFacts, type PeerName } from './peers.ts'
import { saturate } from './saturate.ts'
import { sendStrangers, type Crowd } from './strangers.ts'

/** How vouchers are used: a new one each time, or one far ahead again and again. */
export type Use = 'fresh' | 'represented' | 'free'

export type Job = {
  /** Whoever has the same name goes on with the same channels. */
  readonly name: string
  readonly port: number
  readonly buyer: RailName | PeerName
  readonly world: World
  readonly use: Use
  readonly channels: number
  readonly connections: number
  /** What the server of a peer said about its channels. */
  readonly facts?: PeerFacts
}

/** Requests are made by `prepare`, and sent once, by `saturate` or `pace`. */
export type LoadQuestion =
  | { readonly do: 'prepare'; readonly job: Job; readonly count: number }
  | { readonly do: 'saturate'; readonly job: Job }
  | { readonly do: 'pace'; readonly job: Job; readonly pace: Pace }
  | ({ readonly do: 'strangers' } & Crowd)

type Stall = { buyer: Buyer; sent: number; requests: Buffer[] }

const stalls = new Map<string, Stall>()

await serveParent<object, LoadQuestion>(() => Promise.resolve({ facts: {}, answer }))

async function answer(question: LoadQuestion): Promise<unknown> {
  if (question.do === 'strangers') return sendStrangers(question)
  const { job } = question
  const stall = stalls.get(job.name) ?? (await openStall(job))
  if (question.do === 'prepare') {
    if (job.facts) stall.buyer = await openBuyer(job) // the offers of peers expire within minutes
    prepare(stall, job, question.count)
    return stall.requests.length
  }
  const { requests } = stall
  stall.requests = []
  return question.do === 'saturate'
    ? saturate(job.port, job.connections, requests)
    : sendAtPace(job.port, job.connections, requests, question.pace)
}

async function openStall(job: Job): Promise<Stall> {
  const stall = { buyer: await openBuyer(job), sent: 0, requests: [] }
  stalls.set(job.name, stall)
  return stall
}

async function openBuyer({ buyer: name, world, facts }: Job): Promise<Buyer> {
  if (name === 'payment' || name === 'rdn') return buyerOf(name, world)
  if (!facts) throw new Error(`${name} said nothing about its channels`)
  return peerBuyer(name, facts)
}

/** Vouchers rise by the price, one channel after the other; or there is one per channel, for more than all of it. */
function prepare(stall: Stall, { use, channels }: Job, count: number): void {
  if (use === 'free') {
    stall.requests = Array.from({ length: count }, () => freeRequest)
    return
  }
  const from = use === 'fresh' ? stall.sent : 0
  const made = use === 'fresh' ? count : channels
  const requests = Array.from({ length: made }, (_, index) => {
    const nth = BigInt(Math.floor((from + index) / channels) + 1)
    return stall.buyer((from + index) % channels, use === 'fresh' ? nth * PRICE : AHEAD)
  })
  stall.requests = Array.from({ length: count }, (_, index) => requests[index % made] ?? freeRequest)
  stall.sent += count
}

/** Base units authorized ahead: more requests than are ever sent. */
const AHEAD = PRICE * 10n ** 12n
