/**
 * Sends the transactions of one key.
 *
 * Each is on file before a node hears of it, and handed over before the next
 * one gets its nonce, so that they are mined in the order of the calls, a
 * failure leaves no gap, and a restart goes on where the process ended. Several
 * may wait to be mined at the same time. Wallets on one key that do not share a
 * store take each other's nonces.
 */
import type { Hash, LocalAccount } from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { ConfigError, TransactionRevertedError, TransactionUnknownError } from '../base/faults.ts'
import type { Chain, Mined, SendOptions, Wallet } from './chain.ts'
import { whole } from './config.ts'
import { createJournal, createVolatileIntents, type Intents } from './intents.ts'
import { launch } from './launch.ts'
import { change, hear, pendingOf, type Outgoing, type Sender } from './outgoing.ts'
import { inTime, MAX_TIMER_MS } from './pause.ts'
import { goOnWith, isTakenBack, keepTrying, resume, sendAgain } from './resume.ts'
import { WAIT_MS } from './wait.ts'

export type WalletConfig = {
  readonly chain: Chain
  readonly account: LocalAccount
  /** Keeps what is to be sent: a store. Default: none, and a restart knows nothing of what was on its way. */
  readonly intents?: Intents
  /** Most wei per unit of gas. Default 500 gwei. */
  readonly maxFeePerGas?: bigint
  /** The same for what is urgent, such as the answer to a sender that leaves. Default: ten times `maxFeePerGas`. */
  readonly urgentMaxFeePerGas?: bigint
  /** How long a transaction waits to be mined before it is sent again with a higher fee. Default 30,000. */
  readonly stuckMs?: number
}

/** With `intents`, goes on at once with what was on its way. @throws {ConfigError} naming the setting that is wrong */
export function createWallet(config: WalletConfig): Wallet {
  const { sender, signHash } = senderOf(config)
  const { chain, account, outgoing } = sender
  const resumed = createOnce(() => resume(sender))
  if (config.intents) void keepTrying(resumed, chain.pollMs)
  const inTurn = createLane()
  return {
    address: account.address,
    sign: (digest) => signHash({ hash: bytesToHex(digest) }),
    async pending() {
      await resumed()
      const filed = (await sender.journal.read()).outgoing
      return filed.map((tx) => pendingOf(tx, outgoing.get(tx.nonce)?.mined ?? false))
    },
    async send(call, options = {}) {
      const { confirmations = chain.confirmations, onProgress, onSent } = options
      let heard = true
      const onDepth = createOnChange((depth) => heard && onProgress?.(depth))
      const hearer = { confirmations, onDepth, onSent: (hash: Hash) => heard && onSent?.(hash) }
      try {
        const way = await inTurn(async () => {
          await resumed()
          const done = options.intent === undefined ? undefined : await sender.journal.findDone(options.intent)
          if (done && !(await isTakenBack(sender, done))) {
            return { hash: done.hashes[0], fate: chain.waitMined(done.hashes[0], options) }
          }
          const waiting = await join(sender, options)
          const tx = waiting ?? (await (done ? sendAgain(sender, done, call) : launch(sender, call, options)))
          return { nonce: tx.nonce, hash: tx.hashes[0], fate: hear(sender, tx.nonce, hearer) }
        })
        onSent?.(way.hash)
        return await settled(sender, way, options)
      } finally {
        heard = false
      }
    },
  }
}

const DEFAULT_CAP = 500n * 10n ** 9n

function senderOf({ chain, account, intents, stuckMs = 30_000, ...fees }: WalletConfig) {
  const { maxFeePerGas: usual = DEFAULT_CAP, urgentMaxFeePerGas: urgent = usual * 10n } = fees
  const { sign: signHash } = account
  if (!signHash) throw new ConfigError('account', 'cannot sign a hash; give a private key or a local account')
  if (usual < 1n) throw new ConfigError('maxFeePerGas', 'must be more than 0 wei.')
  if (urgent < usual) throw new ConfigError('urgentMaxFeePerGas', 'must not be less than maxFeePerGas.')
  whole(stuckMs, 'stuckMs', MAX_TIMER_MS)
  let id: number | undefined
  const chainId = async () => (id ??= await chain.id())
  const journal = createJournal(intents ?? createVolatileIntents(), account.address, chainId)
  const onTheWay = { outgoing: new Map(), hearers: new Map() }
  const sender: Sender = { chain, account, chainId, caps: { usual, urgent }, stuckMs, journal, ...onTheWay }
  return { sender, signHash }
}

/** The transaction that is to achieve the same, if one is on its way. */
async function join(sender: Sender, { intent, urgent }: SendOptions): Promise<Outgoing | undefined> {
  const { journal, outgoing, caps } = sender
  if (intent === undefined) return undefined
  const filed = (await journal.read()).outgoing.find((other) => other.intent === intent)
  if (!filed) return undefined
  // It may be another wallet's on this store.
  await goOnWith(sender, filed)
  if (urgent && filed.cap < caps.urgent) await change(sender, filed.nonce, { cap: caps.urgent })
  return outgoing.get(filed.nonce)
}

type Way = { readonly nonce?: number; readonly hash: Hash; readonly fate: Promise<Mined> }

/** What became of the transaction, unless the caller has to hear before that. */
async function settled({ outgoing }: Sender, { nonce, hash, fate }: Way, options: SendOptions): Promise<Mined> {
  const { timeoutMs = WAIT_MS, signal } = options
  const newest = () => (nonce === undefined ? undefined : outgoing.get(nonce)?.hashes[0]) ?? hash
  const mined = await inTime({ timeoutMs, signal, late: () => new TransactionUnknownError(newest()) }, () => fate)
  if (mined.status === 'reverted') throw new TransactionRevertedError(mined.hash)
  return mined
}

/** What `work` gives, done again only after a failure. */
function createOnce(work: () => Promise<void>): () => Promise<void> {
  let doing: Promise<void> | undefined
  return () =>
    (doing ??= work().catch((error: unknown) => {
      doing = undefined
      throw error
    }))
}

function createLane() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}

function createOnChange(tell: (value: number) => void): (value: number) => void {
  let told: number | undefined
  return (value) => {
    if (value === told) return
    told = value
    tell(value)
  }
}
