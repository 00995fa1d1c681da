/**
 * The REST interface of the Python server of µRaiden 0.2 under `/api/1`: who
 * asks is not asked who it is. Signatures are those of test/vectors/uraiden-conversations.json.
 */
import { isAddress } from 'viem'
import { header } from './exchange.ts'
import { contractAbi, tokenAbi } from './sender-chain.ts'
import { integerIn } from './server-request.ts'
import {
  idOf,
  isClosed,
  jsonReply,
  STATES,
  type Reply,
  type Seen,
  type ServerChannel,
  type ServerState,
} from './server-state.ts'
import { signClosing } from './signing.ts'

/** Undefined for a path that is not of this interface. What is thrown is an error of the server, 500. */
export async function rest(state: ServerState, request: Seen): Promise<Reply | undefined> {
  const [path = '', query = ''] = request.target.split('?')
  if (!path.startsWith('/api/1/')) return undefined
  const [what, sender, block, ...more] = path.slice('/api/1/'.length).split('/')
  const parameters = new URLSearchParams(query)
  if (what === 'stats' && sender === undefined) return jsonReply(200, await stats(state))
  if (what !== 'channels' || more.length > 0) return NOT_FOUND
  if (sender === undefined) return { status: 308, lines: [['Location', '/api/1/channels/']], body: '' }
  if (block === undefined) return list(state, sender, parameters.get('status') ?? 'open')
  if (!/^\d+$/.test(block)) return NOT_FOUND
  if (request.method === 'DELETE') return close(state, request, sender, Number(block))
  return show(state, sender, Number(block))
}

const NOT_FOUND = jsonReply(404, { message: 'Not Found' })

/** Of confirmed channels only, in numbers: base units. */
async function stats({ channels, options, receiver, liquid }: ServerState): Promise<Record<string, unknown>> {
  const all = [...channels.values()]
  const confirmed = all.filter((channel) => channel.confirmed)
  const open = confirmed.filter((channel) => !isClosed(channel))
  const sum = (of: readonly bigint[]) => Number(of.reduce((total, one) => total + one, 0n))
  return {
    balance_sum: sum(confirmed.map(({ balance }) => balance)),
    deposit_sum: sum(confirmed.map(({ deposit }) => deposit)),
    open_channels: open.length,
    pending_channels: all.length - confirmed.length,
    unique_senders: new Set(confirmed.map(({ sender }) => sender)).size,
    liquid_balance: Number(await liquid()),
    token_address: options.token,
    contract_address: options.contract,
    receiver_address: receiver,
    manager_abi: contractAbi,
    token_abi: tokenAbi,
    sync_block: 0,
  }
}

/** All senders with the blocks of their channels; of one sender, each channel. What is no address means everybody. */
function list({ channels }: ServerState, sender: string, status: string): Reply {
  if (!['open', 'opened', 'closed', 'all'].includes(status)) {
    return jsonReply(400, { message: { status: `${status} is not a valid choice` } })
  }
  const isAsked = (channel: ServerChannel) => status === 'all' || isClosed(channel) === (status === 'closed')
  const asked = [...channels.values()].filter((channel) => channel.confirmed && isAsked(channel))
  if (isAddress(sender, { strict: false })) {
    const own = asked.filter((channel) => channel.sender.toLowerCase() === sender.toLowerCase())
    return jsonReply(200, own.map(summary))
  }
  const senders = [...new Set(asked.map((channel) => channel.sender))]
  const blocksOf = (one: string) => asked.filter((channel) => channel.sender === one).map(({ block }) => block)
  return jsonReply(
    200,
    senders.map((one) => ({ sender_address: one, blocks: blocksOf(one) })),
  )
}

function summary(channel: ServerChannel): Record<string, unknown> {
  return {
    sender_address: channel.sender,
    open_block: channel.block,
    state: isClosed(channel) ? 'closed' : 'open',
    deposit: Number(channel.deposit),
    balance: Number(channel.balance),
  }
}

/** One channel, last signature and all. */
function show({ channels, receiver }: ServerState, sender: string, block: number): Reply {
  const channel = channels.get(idOf(sender, block))
  if (!channel) return jsonReply(404, 'Sender address not found')
  if (channel.unconfirmedTopUps.size > 0) throw new TypeError('keys must be a string')
  return jsonReply(200, {
    receiver,
    sender: channel.sender,
    deposit: Number(channel.deposit),
    open_block_number: channel.block,
    balance: Number(channel.balance),
    state: channel.state,
    last_signature: channel.signature ?? null,
    settle_timeout: channel.settleTimeout,
    ctime: channel.ctime,
    mtime: channel.mtime,
    confirmed: channel.confirmed,
    unconfirmed_topups: {},
  })
}

/** Closes the channel for whoever knows its balance, and signs that. */
async function close(state: ServerState, request: Seen, sender: string, block: number): Promise<Reply> {
  const given = balanceIn(request)
  if (given === 'malformed') return jsonReply(400, { message: { balance: 'invalid literal for int() with base 10' } })
  if (given === undefined || given < 0n) return jsonReply(400, 'Bad balance format')
  if (!isAddress(sender, { strict: false })) throw new TypeError('not an address')
  const channel = state.channels.get(idOf(sender, block))
  if (!channel || isClosed(channel)) return jsonReply(400, 'Channel does not exist or is closed')
  if (!channel.signature) throw new Error('NoBalanceProofReceived')
  if (given !== channel.balance) return jsonReply(400, 'Requested closing balance does not match latest one')
  channel.state = STATES.CLOSED
  const terms = { sender: channel.sender, block, balance: given, contract: state.options.contract }
  return jsonReply(200, { close_signature: await signClosing(state.options.key, terms) })
}

/** From JSON, from a form or from the query. */
function balanceIn(request: Seen): bigint | 'malformed' | undefined {
  const query = new URLSearchParams(request.target.split('?')[1] ?? '')
  const isJson = (header(request, 'Content-Type') ?? '').startsWith('application/json')
  try {
    const form = isJson ? undefined : new URLSearchParams(request.body).get('balance')
    const json = isJson ? (JSON.parse(request.body) as { balance?: number | string }).balance : undefined
    return integerIn('balance', json === undefined ? (form ?? query.get('balance') ?? undefined) : `${json}`)
  } catch {
    return 'malformed'
  }
}
