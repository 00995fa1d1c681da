/** How the stranger's server learns of channels: it reads the events of its receiver, again and again. */
import { createPublicClient, http, parseAbi, parseEventLogs, type Address, type Hex } from 'viem'
import { contractAbi, tokenAbi } from './sender-chain.ts'
import { idOf, isClosed, STATES, type ServerChannel, type ServerState } from './server-state.ts'

export type ServerChainOptions = {
  /** The node. */
  readonly url: string
  /** How deep an event has to be before it counts. The original's default, and its only value, was 1. */
  readonly confirmations?: number
  /** The pause between two looks. */
  readonly pollMs?: number
}

export type Following = {
  /** Looks once, after a look that is under way. */
  sync(): Promise<void>
  stop(): Promise<void>
}

/** What the chain says about one channel. */
type Fact = Pick<ServerChannel, 'sender' | 'block' | 'deposit' | 'confirmed' | 'settleTimeout'> & {
  readonly unconfirmedTopUps: Map<Hex, bigint>
}

/** Resolves after the first look. Does not dispute: that is the chain's part and no conversation. */
export async function followChain(state: ServerState, options: ServerChainOptions): Promise<Following> {
  const { url, confirmations = 1, pollMs = 20 } = options
  const node = createPublicClient({ transport: http(url), cacheTime: 0 })
  const look = async () => remember(state, await factsOf(node, state, confirmations))
  let last = look()
  let timer: NodeJS.Timeout | undefined
  const sync = () => (last = last.then(look))
  const again = () => {
    timer = setTimeout(() => void sync().then(again, () => undefined), pollMs)
  }
  const balance = {
    address: state.options.token,
    abi: tokenAbi,
    functionName: 'balanceOf',
    args: [state.receiver],
  } as const
  state.liquid = () => node.readContract(balance)
  await last
  again()
  return {
    sync,
    async stop() {
      clearTimeout(timer)
      await last.catch(() => undefined)
      clearTimeout(timer)
    },
  }
}

type Node = ReturnType<typeof createPublicClient>

/** All channels to this receiver, from the first block on. Only confirmed closings count. */
async function factsOf(
  node: Node,
  { options, receiver }: ServerState,
  confirmations: number,
): Promise<Map<string, Fact>> {
  const head = Number(await node.getBlockNumber())
  const logs = await node.getLogs({ address: options.contract, fromBlock: 0n, toBlock: BigInt(head) })
  const facts = new Map<string, Fact>()
  for (const log of parseEventLogs({ abi: contractAbi, logs })) {
    if (log.args.receiver !== receiver) continue
    const at = Number(log.blockNumber)
    const isConfirmed = at <= head - confirmations
    if (log.eventName === 'ChannelCreated') {
      const { sender, deposit } = log.args
      const fact = { sender, block: at, deposit, confirmed: isConfirmed, settleTimeout: -1 }
      facts.set(idOf(sender, at), { ...fact, unconfirmedTopUps: new Map() })
      continue
    }
    const id = idOf(log.args.sender, log.args.openBlock)
    const fact = facts.get(id)
    if (!fact) continue
    if (log.eventName === 'ChannelToppedUp') {
      if (isConfirmed) fact.deposit += log.args.added
      else fact.unconfirmedTopUps.set(log.transactionHash, log.args.added)
    } else if (isConfirmed && log.eventName === 'ChannelCloseRequested') {
      fact.settleTimeout = at + (await challengePeriod(node, options.contract))
    } else if (isConfirmed) facts.delete(id)
  }
  return facts
}

/** Payments are ours, the rest is the chain's. A channel that is gone there is forgotten. */
function remember({ channels }: ServerState, facts: ReadonlyMap<string, Fact>): void {
  for (const id of channels.keys()) if (!facts.has(id)) channels.delete(id)
  for (const [id, fact] of facts) {
    const known = channels.get(id)
    const now = Date.now() / 1_000
    const paid = known ?? { balance: 0n, signature: undefined, state: STATES.OPEN, ctime: now, mtime: now }
    const isEnding = fact.settleTimeout >= 0 || (known !== undefined && isClosed(known))
    channels.set(id, { ...paid, ...fact, state: isEnding ? STATES.CLOSED : STATES.OPEN })
  }
}

function challengePeriod(node: Node, address: Address): Promise<number> {
  const abi = parseAbi(['function challenge_period() view returns (uint32)'])
  return node.readContract({ address, abi, functionName: 'challenge_period' })
}
