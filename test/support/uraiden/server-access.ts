/**
 * How the Python server of µRaiden 0.2 decided about a request, step by step,
 * faults included, and with the lies that a test can order.
 *
 * Exactly the price is taken: less and more are refused. A paid answer tells the
 * balance before the payment, and only if the resource gave a whole response.
 * Signatures are those of test/vectors/uraiden-conversations.json.
 */
import type { Hex } from 'viem'
import type { Lines } from './exchange.ts'
import { asHex, readPaymentData, ValueError, wantsPage, type PaymentData } from './server-request.ts'
import {
  idOf,
  isClosed,
  jsonReply,
  type Reply,
  type Seen,
  type ServerChannel,
  type ServerState,
} from './server-state.ts'
import { balanceSigner } from './signing.ts'

/** Answers a request for a resource. What is thrown is an error of the server, 500. */
export async function access(state: ServerState, request: Seen): Promise<Reply> {
  if (state.lie?.kind === 'offline') return jsonReply(502, 'Ethereum node is not responding')
  if (state.lie?.kind === 'broke') return jsonReply(502, 'Channel manager ETH balance is below limit')
  const data = dataOf(request)
  if ('status' in data) return data
  const isPage = wantsPage(request)
  const price = priceOf(state, request, data)
  if (price <= 0n) return serve(state, request, [])
  const standard = standardLines(state, price)
  const refuse = (...more: Lines) => refusal(state, isPage, [...standard, ...more])

  if (!data.signature) return refuse()
  const lie = lieAbout(state, data)
  if (lie) return refuse(...lie)

  const { channel, flag } = await find(state, data)
  if (!channel) return refuse([flag, '1'])
  const known = knownLines(channel)
  const balance = required('RDN-Balance', data.balance)
  if (![0n, price].includes(balance - channel.balance)) return refuse(...known, ['RDN-Invalid-Amount', '1'])
  if (balance === channel.balance) return refuse(...known)
  if (balance > channel.deposit) return refuse(...known)
  channel.balance = balance
  channel.signature = asHex(data.signature)
  channel.mtime = Date.now() / 1_000
  return serve(state, request, [...standard, ...known])
}

/** Who it is and what it promises: the last step of the three that end in a flag. */
async function find(
  { channels, receiver, options }: ServerState,
  data: PaymentData,
): Promise<{ channel: ServerChannel; flag?: never } | { channel?: never; flag: string }> {
  const sender = required('RDN-Sender-Address', data.sender)
  const block = required('RDN-Open-Block', data.block)
  const channel = channels.get(idOf(sender, block))
  if (channel && !channel.confirmed) return { flag: 'RDN-Insufficient-Confirmations' }
  if (!channel || isClosed(channel)) return { flag: 'RDN-Nonexisting-Channel' }
  const terms = { receiver, block, balance: required('RDN-Balance', data.balance), contract: options.contract }
  const signer = await balanceSigner(terms, asHex(required('RDN-Balance-Signature', data.signature)))
  return signer === sender ? { channel } : { flag: 'RDN-Invalid-Balance-Proof' }
}

function dataOf(request: Seen): PaymentData | Reply {
  try {
    return readPaymentData(request)
  } catch (error) {
    if (error instanceof ValueError) return jsonReply(409, error.message)
    throw error
  }
}

/** The headers of a 402 for a payment that is lied about. */
function lieAbout(state: ServerState, { balance, signature }: PaymentData): Lines | undefined {
  const { lie } = state
  const wrong = ['RDN-Invalid-Amount', '1'] as const
  switch (lie?.kind) {
    case 'greedy':
      return []
    case 'equal':
      return [['RDN-Sender-Balance', `${balance ?? 0n}`], ['RDN-Balance-Signature', signature ?? ''], wrong]
    case 'claim':
      return [['RDN-Sender-Balance', `${lie.balance}`], ['RDN-Balance-Signature', lie.signature], wrong]
    case 'no-signature':
      return [['RDN-Sender-Balance', `${balance ?? 0n}`], wrong]
    case 'no-balance':
      return [['RDN-Balance-Signature', signature ?? ''], wrong]
    case 'bad-signature':
      return [['RDN-Sender-Balance', '1'], ['RDN-Balance-Signature', NOBODYS], wrong]
    case 'flag':
      lie.times -= 1
      if (lie.times <= 0) state.lie = undefined
      return [[lie.flag, '1']]
    default:
      return undefined
  }
}

/** r is more than the curve has points. */
const NOBODYS: Hex = `0x${'ff'.repeat(64)}1b`

function priceOf({ options, lie }: ServerState, request: Seen, data: PaymentData): bigint {
  if (lie?.kind === 'price' && data.signature) return lie.price
  return typeof options.price === 'function' ? options.price(request) : options.price
}

function standardLines({ options, receiver, lie }: ServerState, price: bigint): Lines {
  return [
    ['RDN-Gateway-Path', '/api/1'],
    ['RDN-Receiver-Address', receiver],
    ['RDN-Contract-Address', lie?.kind === 'contract' ? lie.contract : options.contract],
    ['RDN-Token-Address', options.token],
    ['RDN-Price', `${price}`],
  ]
}

/** What was paid before. There is a signature after the first payment. */
function knownLines({ sender, balance, signature }: ServerChannel): Lines {
  return [
    ['RDN-Sender-Address', sender],
    ['RDN-Sender-Balance', `${balance}`],
    ...(signature ? [['RDN-Balance-Signature', signature] as const] : []),
  ]
}

/** For a program: no body. For a person: the page, and every header of payment as a cookie too. */
function refusal({ options }: ServerState, isPage: boolean, lines: Lines): Reply {
  if (!isPage) return { status: 402, lines: [['Content-Type', 'application/json'], ...lines], body: '' }
  const cookies = lines.map(([name, value]) => ['Set-Cookie', `${name}=${value}; Path=/`] as const)
  const type = ['Content-Type', 'text/html; charset=utf-8'] as const
  return { status: 402, lines: [type, ...lines, ...cookies], body: options.page ?? PAGE }
}

const PAGE = '<!DOCTYPE html><title>Payment required</title>'

/** Headers of payment go with a whole response only, and those of the resource win. */
function serve({ options }: ServerState, request: Seen, paid: Lines): Reply {
  const { kind, body, status = 200, lines = [] } = options.resource?.(request) ?? { kind: 'response', body: 'foo' }
  const isGiven = (name: string) => lines.some(([given]) => given.toLowerCase() === name.toLowerCase())
  const type = isGiven('Content-Type') ? [] : [['Content-Type', 'text/html; charset=utf-8'] as const]
  const told = kind === 'response' ? paid.filter(([name]) => !isGiven(name)) : []
  return { status, lines: [...type, ...told, ...lines], body }
}

function required<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new TypeError(`${name} is missing`)
  return value
}
