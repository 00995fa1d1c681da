/**
 * What a key is about to send and what it has sent, in records that outlive the process.
 *
 * One record for each chain and key holds all that is on its way. It is written
 * before a node hears of a transaction, so there is no version of one that a
 * restart does not know. Each change is made to what is there when it is
 * written: wallets that share a store share their nonces too.
 */
import type { Address, Hash, Hex } from 'viem'
import { ownRecord } from '../base/read.ts'
import type { Done, Filed, Journal, Last } from './outgoing.ts'

/** Small durable records. Every store of this project has them. */
export type Intents = {
  readRecord(name: string): Promise<string | undefined>
  /** Atomic and durable; undefined removes the record. `change` may run more than once. */
  writeRecord(name: string, change: (current: string | undefined) => string | undefined): Promise<void>
  /** Removes the records whose names begin with `kind` and that were last written before `beforeMs`. */
  expireRecords(kind: string, beforeMs: number): Promise<number>
}

/** How long it is known that an intent took effect. */
export const INTENT_MS = 30 * 24 * 3_600_000

const EXPIRE_EVERY_MS = 3_600_000

export function createJournal(intents: Intents, address: Address, chainId: () => Promise<number>): Journal {
  const place = async () => `${await chainId()}:${address.toLowerCase()}`
  const nameOf = async (intent: string) => `intent:${await place()}:${intent}`
  const edit = async (change: (kept: Kept) => Kept) =>
    intents.writeRecord(`wallet:${await place()}`, (json) => JSON.stringify(change(keptOf(json))))
  let expiredMs = 0
  const expire = async () => {
    if (Date.now() - expiredMs < EXPIRE_EVERY_MS) return
    expiredMs = Date.now()
    await intents.expireRecords('intent:', expiredMs - INTENT_MS)
  }
  return {
    async read() {
      const { outgoing, last } = keptOf(await intents.readRecord(`wallet:${await place()}`))
      return { outgoing: outgoing.map(filedOf), last }
    },
    async add(tx) {
      let isFree = false
      await edit((kept) => {
        isFree = !kept.outgoing.some(({ nonce, intent }) => nonce === tx.nonce || (intent && intent === tx.intent))
        return isFree ? withRow(kept, tx) : kept
      })
      return isFree
    },
    change: (tx) => edit((kept) => (kept.outgoing.some(({ nonce }) => nonce === tx.nonce) ? withRow(kept, tx) : kept)),
    remove: (tx) => edit((kept) => withoutRow(kept, tx)),
    async finish(tx, done) {
      const { intent } = tx
      // In this order: a crash in between leaves both, and the transaction is looked up once more.
      if (intent !== undefined && done) await intents.writeRecord(await nameOf(intent), () => doneRecord(tx, done))
      await edit((kept) => ({ ...withoutRow(kept, tx), last: laterOf(kept.last, tx) }))
      await expire()
    },
    async findDone(intent) {
      const json = await intents.readRecord(await nameOf(intent))
      return json === undefined ? undefined : doneOf(ownRecord<DoneRow>(json))
    },
  }
}

/** Records of one process, for a wallet that is given no store. */
export function createVolatileIntents(): Intents {
  const records = new Map<string, { readonly value: string; readonly writtenMs: number }>()
  return {
    readRecord: (name) => Promise.resolve(records.get(name)?.value),
    writeRecord(name, change) {
      const value = change(records.get(name)?.value)
      if (value === undefined) records.delete(name)
      else records.set(name, { value, writtenMs: Date.now() })
      return Promise.resolve()
    },
    expireRecords(kind, beforeMs) {
      const old = [...records].filter(([name, { writtenMs }]) => name.startsWith(kind) && writtenMs < beforeMs)
      for (const [name] of old) records.delete(name)
      return Promise.resolve(old.length)
    },
  }
}

/** The record: plain JSON, with amounts in decimal digits. */
type Kept = { readonly outgoing: readonly Row[]; readonly last?: Last }

type Row = DoneRow & { readonly to: Address; readonly data: Hex }

type DoneRow = {
  readonly nonce: number
  readonly gas: string
  readonly maxFeePerGas: string
  readonly maxPriorityFeePerGas: string
  readonly cap: string
  readonly hashes: Filed['hashes']
  readonly confirmations: number
  readonly sinceMs: number
  readonly intent?: string
}

function keptOf(json: string | undefined): Kept {
  return json === undefined ? { outgoing: [] } : ownRecord<Kept>(json)
}

function doneRecord(tx: Filed, done: Hash): string {
  return JSON.stringify(doneRowOf({ ...tx, hashes: [done, ...tx.hashes.filter((hash) => hash !== done)] }))
}

function withRow(kept: Kept, tx: Filed): Kept {
  const there = kept.outgoing.find(({ nonce }) => nonce === tx.nonce)
  const [newest, ...older] = tx.hashes
  const earlier = new Set([...older, ...(there?.hashes ?? [])])
  earlier.delete(newest)
  const row = rowOf({ ...tx, hashes: [newest, ...earlier] })
  const others = kept.outgoing.filter(({ nonce }) => nonce !== tx.nonce)
  return { ...kept, outgoing: [...others, row].sort((a, b) => a.nonce - b.nonce) }
}

function withoutRow(kept: Kept, { nonce: gone }: Filed): Kept {
  return { ...kept, outgoing: kept.outgoing.filter(({ nonce }) => nonce !== gone) }
}

function laterOf(last: Last | undefined, { nonce, hashes }: Filed): Last {
  return last && last.nonce > nonce ? last : { nonce, hashes }
}

function rowOf({ call: { to, data }, ...tx }: Filed): Row {
  return { to, data, ...doneRowOf(tx) }
}

function doneRowOf({ nonce, gas, price, cap, hashes, confirmations, sinceMs, intent }: Done): DoneRow {
  const { maxFeePerGas, maxPriorityFeePerGas } = price
  const amounts = { maxFeePerGas: `${maxFeePerGas}`, maxPriorityFeePerGas: `${maxPriorityFeePerGas}` }
  const named = intent === undefined ? {} : { intent }
  return { nonce, gas: `${gas}`, ...amounts, cap: `${cap}`, hashes, confirmations, sinceMs, ...named }
}

function filedOf({ to, data, ...row }: Row): Filed {
  return { call: { to, data }, ...doneOf(row) }
}

function doneOf({ nonce, hashes, confirmations, sinceMs, intent, ...amounts }: DoneRow): Done {
  const { gas, cap, maxFeePerGas, maxPriorityFeePerGas } = amounts
  const price = { maxFeePerGas: BigInt(maxFeePerGas), maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas) }
  return { nonce, gas: BigInt(gas), price, cap: BigInt(cap), hashes, confirmations, sinceMs, intent }
}
