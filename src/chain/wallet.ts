/**
 * Sends the transactions of one key.
 *
 * Each is handed to a node before the next one gets its nonce, so that they
 * are mined in the order of the calls and a failure leaves no gap. Several may
 * wait to be mined at the same time. Two wallets on one key, in whatever
 * processes, would take each other's nonces: there must be one.
 */
import type { LocalAccount } from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { ConfigError, TransactionRevertedError, TransactionUnknownError } from '../base/faults.ts'
import type { Chain, Mined, SendOptions, Wallet } from './chain.ts'
import { whole } from './config.ts'
import { createNonces, launch } from './launch.ts'
import { watch, type Outgoing, type Sender } from './outgoing.ts'
import { inTime, MAX_TIMER_MS } from './pause.ts'
import { WAIT_MS } from './wait.ts'

export type WalletConfig = {
  readonly chain: Chain
  readonly account: LocalAccount
  /** Most wei per unit of gas. Default 500 gwei. */
  readonly maxFeePerGas?: bigint
  /** How long a transaction waits to be mined before it is sent again with a higher fee. Default 30,000. */
  readonly stuckMs?: number
}

/** @throws {ConfigError} naming the setting that is wrong */
export function createWallet({ chain, account, maxFeePerGas = DEFAULT_CAP, stuckMs = 30_000 }: WalletConfig): Wallet {
  const { sign: signHash } = account
  if (!signHash) throw new ConfigError('account', 'cannot sign a hash; give a private key or a local account')
  if (maxFeePerGas < 1n) throw new ConfigError('maxFeePerGas', 'must be more than 0 wei.')
  whole(stuckMs, 'stuckMs', MAX_TIMER_MS)
  let id: number | undefined
  const chainId = async () => (id ??= await chain.id())
  const sender: Sender = { chain, account, chainId, cap: maxFeePerGas, stuckMs, outgoing: new Map() }
  const nonces = createNonces(sender)
  const inTurn = createLane()
  return {
    address: account.address,
    sign: (digest) => signHash({ hash: bytesToHex(digest) }),
    async send(call, options = {}) {
      const { confirmations = chain.confirmations, onProgress, onSent } = options
      let heard = true
      const onDepth = createOnChange((depth) => heard && onProgress?.(depth))
      const { tx, fate } = await inTurn(async () => {
        const tx = await launch(sender, nonces, call, options)
        const fate = watch(sender, tx.nonce, confirmations, onDepth)
        // The caller may be gone before the fate is known.
        fate.catch(() => undefined)
        return { tx, fate }
      })
      try {
        onSent?.(tx.hashes[0])
        return await settled(sender, tx, fate, options)
      } finally {
        heard = false
      }
    },
  }
}

const DEFAULT_CAP = 500n * 10n ** 9n

/** What became of the transaction, unless the caller has to hear before that. */
async function settled(sender: Sender, tx: Outgoing, fate: Promise<Mined>, options: SendOptions): Promise<Mined> {
  const { timeoutMs = WAIT_MS, signal } = options
  const late = () => new TransactionUnknownError((sender.outgoing.get(tx.nonce) ?? tx).hashes[0])
  const mined = await inTime({ timeoutMs, signal, late }, () => fate)
  if (mined.status === 'reverted') throw new TransactionRevertedError(mined.hash)
  return mined
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
