/**
 * A stranger: the Python client of µRaiden 0.2 as it behaved, faults included.
 *
 * It pays the exact price after each 402, as often as it is asked, and never
 * before. It has no memory of its own: what it owes it learns from the server
 * ("adopt"). Signatures are those of test/vectors/uraiden-conversations.json.
 *
 * Where the original slept, `wait` is told for how long; nothing waits by itself.
 */
import type { Address, Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { closeOf, type Closed } from './client-close.ts'
import { header, openConnection, type Answer, type Connection, type Exchange, type Lines } from './exchange.ts'
import { balanceSigner, signBalance } from './signing.ts'
import type { Opened, SenderChain } from './sender-chain.ts'

/** A channel as its sender sees it: each new balance is signed at once. Sums in base units. */
export type OwnChannel = Opened & {
  deposit: bigint
  balance: bigint
  signature: Hex
  state: 'open' | 'settling' | 'closed'
}

export type ClientOptions = {
  /** The sender's key. */
  readonly key: Hex
  readonly contract: Address
  /** Opens and tops up. Without a chain: anything that says in which block it did. */
  readonly chain: SenderChain
  /** Is told each pause, in milliseconds. */
  readonly wait?: (ms: number) => void | Promise<void>
  /** The pause before a proof is sent again. */
  readonly retryIntervalMs?: number
  readonly initialDeposit?: (price: bigint) => bigint
  readonly topUpDeposit?: (price: bigint) => bigint
  /** Sees every answer first. `false` ends the loop and gives the answer to the caller. */
  readonly onAnswer?: (answer: Answer, exchanges: readonly Exchange[]) => boolean
}

export type RequestOptions = {
  /** Replace those of the client. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export type UraidenClient = {
  readonly address: Address
  /** Every request that was sent and its answer. */
  readonly exchanges: readonly Exchange[]
  /** The channel that is paid from, after the first payment. */
  channel(): OwnChannel | undefined
  request(method: string, url: string, options?: RequestOptions): Promise<Answer>
  get(url: string, options?: RequestOptions): Promise<Answer>
  /** Asks for the closing signature and closes; without one, asks the contract to close at 0, as the original did. */
  closeChannel(endpoint?: string): Promise<Closed | undefined>
  /** Ends its connection. */
  end(): void
}

/** The client between two requests. */
export type Session = {
  readonly options: Required<Omit<ClientOptions, 'onAnswer'>> & Pick<ClientOptions, 'onAnswer'>
  readonly address: Address
  readonly connection: Connection
  readonly channels: OwnChannel[]
  channel: OwnChannel | undefined
  endpoint: string | undefined
}

/** Learns its channels from the chain, at balance 0: no signature can be had from there. */
export async function createUraidenClient(given: ClientOptions): Promise<UraidenClient> {
  const options = {
    wait: () => undefined,
    retryIntervalMs: 5_000,
    initialDeposit: (price: bigint) => 10n * price,
    topUpDeposit: (price: bigint) => 5n * price,
    ...given,
  }
  const { address } = privateKeyToAccount(options.key)
  const session: Session = {
    options,
    address,
    connection: openConnection(),
    channels: [],
    channel: undefined,
    endpoint: undefined,
  }
  for (const found of await options.chain.channels()) session.channels.push(await own(session, found))
  const request: UraidenClient['request'] = (method, url, extra = {}) => loop(session, method, url, extra)
  return {
    address,
    exchanges: session.connection.exchanges,
    channel: () => session.channel,
    request,
    get: (url, extra) => request('GET', url, extra),
    closeChannel: (endpoint) => closeOf(session, endpoint),
    end: () => session.connection.close(),
  }
}

/** µRaiden 0.2, the request loop: no limit of rounds, of time or of money. */
async function loop(session: Session, method: string, url: string, extra: RequestOptions): Promise<Answer> {
  session.endpoint = new URL(url).origin
  for (;;) {
    const body = extra.body ?? ''
    const lines = linesFor(session, method, url, extra)
    const answer = await session.connection.send(method, url, lines, body)
    if (session.options.onAnswer?.(answer, session.connection.exchanges) === false) return answer
    if (!(await again(session, answer))) return answer
  }
}

/** What python-requests writes, then what the client adds. A header of the caller takes the place of ours. */
function linesFor(session: Session, method: string, url: string, { headers = {}, body }: RequestOptions): Lines {
  const named = Object.entries(headers)
  const isGiven = (name: string) => named.some(([other]) => other.toLowerCase() === name.toLowerCase())
  const ours = [...PYTHON, ...proofLines(session)].filter(([name]) => !isGiven(name))
  const hasLength = body !== undefined || !['GET', 'HEAD'].includes(method)
  const length = hasLength ? [['Content-Length', `${Buffer.byteLength(body ?? '')}`] as const] : []
  return [['Host', new URL(url).host], ...ours, ...named, ...length]
}

export const PYTHON: Lines = [
  ['User-Agent', 'python-requests/2.18.4'],
  ['Accept-Encoding', 'gzip, deflate'],
  ['Accept', '*/*'],
  ['Connection', 'keep-alive'],
]

/** The contract always; the rest as soon as there is a channel, also when its balance has been paid before. */
function proofLines({ options, address, channel }: Session): Lines {
  const contract = ['RDN-Contract-Address', options.contract] as const
  if (!channel) return [contract]
  return [
    contract,
    ['RDN-Balance', `${channel.balance}`],
    ['RDN-Balance-Signature', channel.signature],
    ['RDN-Sender-Address', address],
    ['RDN-Receiver-Address', channel.receiver],
    ['RDN-Open-Block', `${channel.block}`],
  ]
}

/** Whether to ask again. The order of the questions is the original's. */
async function again(session: Session, answer: Answer): Promise<boolean> {
  if (answer.status !== 402) return false
  const { options } = session
  const flags = ['RDN-Nonexisting-Channel', 'RDN-Insufficient-Confirmations', 'RDN-Invalid-Balance-Proof']
  if (flags.some((flag) => header(answer, flag) !== undefined)) {
    await options.wait(options.retryIntervalMs)
    return true
  }
  if (header(answer, 'RDN-Contract-Address')?.toLowerCase() !== options.contract.toLowerCase()) return false
  if (header(answer, 'RDN-Invalid-Amount') !== undefined && !(await adopt(session, answer))) return false
  return pay(session, answer)
}

/**
 * Takes over the balance that the server claims, if the server can show our own signature of it, and forgets all
 * otherwise. False for a server that shows what we just sent: it has our payment and says that it was none.
 */
async function adopt(session: Session, answer: Answer): Promise<boolean> {
  const { channel, options, address } = session
  if (!channel) throw new TypeError('RDN-Invalid-Amount without a channel')
  const claimed = header(answer, 'RDN-Sender-Balance')
  if (claimed === undefined) throw new TypeError('RDN-Sender-Balance is missing')
  const balance = BigInt(claimed)
  const signature = header(answer, 'RDN-Balance-Signature')
  const terms = { receiver: channel.receiver, block: channel.block, balance, contract: options.contract }
  const verified = signature !== undefined && (await balanceSigner(terms, signature as Hex)) === address
  if (verified && balance === channel.balance) return false
  await setBalance(session, channel, verified ? balance : 0n)
  return true
}

/** Adds the price that was asked for, opening or topping up where the channel does not reach. */
async function pay(session: Session, answer: Answer): Promise<boolean> {
  const price = BigInt(header(answer, 'RDN-Price') ?? '0')
  if (price <= 0n) throw new Error(`AssertionError: a price of ${price}`)
  const receiver = header(answer, 'RDN-Receiver-Address') as Address
  if (session.channel?.state !== 'open') session.channel = await suitable(session, receiver, price)
  else if (remaining(session.channel) < price)
    await topUp(session, session.channel, session.options.topUpDeposit(price))
  if (!session.channel) return false
  if (remaining(session.channel) >= price) await setBalance(session, session.channel, session.channel.balance + price)
  return true
}

/** The channel with the least room that is enough; else the one with the most, topped up; else a new one. */
async function suitable(session: Session, receiver: Address, price: bigint): Promise<OwnChannel | undefined> {
  const { chain, initialDeposit, topUpDeposit } = session.options
  const open = session.channels
    .filter((channel) => channel.state === 'open' && channel.receiver.toLowerCase() === receiver.toLowerCase())
    .sort((a, b) => (remaining(a) < remaining(b) ? -1 : 1))
  const enough = open.find((channel) => remaining(channel) >= price)
  if (enough) return enough
  const most = open.at(-1)
  if (most) {
    const wanted = topUpDeposit(price) > price ? topUpDeposit(price) : price
    return (await topUp(session, most, wanted - remaining(most))) ? most : undefined
  }
  const deposit = initialDeposit(price) > price ? initialDeposit(price) : price
  const opened = await chain.open(receiver, deposit)
  if (!opened) return undefined
  const channel = await own(session, opened)
  session.channels.push(channel)
  return channel
}

async function topUp({ options }: Session, channel: OwnChannel, added: bigint): Promise<boolean> {
  const done = await options.chain.topUp(channel, added)
  if (done) channel.deposit += added
  return done
}

async function own(session: Session, opened: Opened): Promise<OwnChannel> {
  const channel: OwnChannel = { ...opened, balance: 0n, signature: '0x', state: 'open' }
  await setBalance(session, channel, 0n)
  return channel
}

async function setBalance({ options }: Session, channel: OwnChannel, balance: bigint): Promise<void> {
  const { receiver, block } = channel
  channel.balance = balance
  channel.signature = await signBalance(options.key, { receiver, block, balance, contract: options.contract })
}

function remaining({ deposit, balance }: OwnChannel): bigint {
  return deposit - balance
}
