/** How a channel is written to a row and read from one, to the unit. */
import { StoreUnavailableError } from '../base/faults.ts'
import type { Channel, ChannelKey, ChannelStatus, Voucher, WithdrawableAt } from '../channel/channel.ts'
import { sealedJson } from './sealed.ts'

/** A channel, and the number that stands for it in the file. */
export type Numbered = { readonly number: bigint; readonly channel: Channel }

type Cell = string | bigint | null
type Row = ReadonlyMap<string, unknown>
type Column = readonly [name: string, write: (channel: Channel) => Cell]

/** What is fixed, and what the chain says. */
const facts: readonly Column[] = [
  ['key', ({ key }) => key],
  ['id', ({ id }) => id],
  ['chain_id', ({ chainId }) => BigInt(chainId)],
  ['escrow', ({ escrow }) => escrow],
  ['sender', ({ sender }) => sender],
  ['receiver', ({ receiver }) => receiver],
  ['token', ({ token }) => token],
  ['signer', ({ signer }) => signer],
  ['terms', ({ terms }) => (terms === undefined ? null : JSON.stringify(terms))],
  ['status', ({ status }) => status],
  ['deposit', ({ deposit }) => `${deposit}`],
  ['settled', ({ settled }) => `${settled}`],
  ['block', ({ block }) => `${block}`],
  ['withdrawable_block', ({ withdrawableAt: at }) => (at && 'block' in at ? `${at.block}` : null)],
  ['withdrawable_time', ({ withdrawableAt: at }) => (at && 'time' in at ? `${at.time}` : null)],
  ['log_index', ({ logIndex }) => (logIndex === undefined ? null : `${logIndex}`)],
  ['close_stated', ({ closeStated }) => (closeStated === undefined ? null : `${closeStated}`)],
  ['close_agreed', ({ closeAgreed }) => (closeAgreed === undefined ? null : `${closeAgreed}`)],
  ['caught_up', ({ caughtUp }) => (caughtUp === undefined ? null : `${caughtUp}`)],
]

const names = facts.map(([name]) => name)

export const upsertFacts = `
  INSERT INTO channels (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
  ON CONFLICT (key) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`

/** The values of {@link upsertFacts}. */
export function factsOf(channel: Channel): readonly Cell[] {
  return facts.map(([, write]) => write(channel))
}

/** What a payment changes, in columns of its own. */
const ofLedger = new Set(['voucher', 'charged'])

/** Whether one is the other but for what a payment changes. What is new to this code counts as a fact. */
export function hasSameFacts(one: Channel, other: Channel): boolean {
  const differs = (name: string) => Reflect.get(one, name) !== Reflect.get(other, name) && !ofLedger.has(name)
  return !Object.keys(one).some(differs) && !Object.keys(other).some(differs)
}

/** @throws {StoreUnavailableError} that names the cell, if somebody else has written it */
export function readChannelRow(found: object): Numbered {
  const row: Row = new Map<string, unknown>(Object.entries(found))
  return { number: BigInt(String(row.get('number'))), channel: channelIn(row) }
}

function channelIn(row: Row): Channel {
  const withdrawableAt = withdrawableAtOf(row)
  const voucher = voucherOf(row)
  return Object.freeze({
    key: key(row),
    id: hex(row, 'id'),
    chainId: Number(row.get('chain_id')),
    escrow: hex(row, 'escrow'),
    sender: hex(row, 'sender'),
    receiver: hex(row, 'receiver'),
    token: hex(row, 'token'),
    signer: hex(row, 'signer'),
    terms: terms(row),
    status: status(row),
    deposit: amount(row, 'deposit'),
    settled: amount(row, 'settled'),
    block: amount(row, 'block'),
    ...(row.get('log_index') !== null && { logIndex: Number(amount(row, 'log_index')) }),
    ...(row.get('close_stated') !== null && { closeStated: amount(row, 'close_stated') }),
    ...(withdrawableAt && { withdrawableAt }),
    ...(voucher && { voucher }),
    charged: amount(row, 'charged'),
    ...(row.get('close_agreed') !== null && { closeAgreed: amount(row, 'close_agreed') }),
    ...(row.get('caught_up') !== null && { caughtUp: Number(amount(row, 'caught_up')) }),
  })
}

function withdrawableAtOf(row: Row): WithdrawableAt | undefined {
  if (row.get('withdrawable_block') !== null) return Object.freeze({ block: amount(row, 'withdrawable_block') })
  if (row.get('withdrawable_time') !== null) return Object.freeze({ time: amount(row, 'withdrawable_time') })
  return undefined
}

function voucherOf(row: Row): Voucher | undefined {
  if (row.get('signature') === null) return undefined
  return Object.freeze({ cumulativeAmount: amount(row, 'cumulative_amount'), signature: hex(row, 'signature') })
}

function terms(row: Row): unknown {
  if (row.get('terms') === null) return undefined
  try {
    return sealedJson(JSON.parse(text(row, 'terms')), 'terms')
  } catch {
    throw damaged(row, 'terms')
  }
}

function status(row: Row): ChannelStatus {
  const value = text(row, 'status')
  if (value !== 'open' && value !== 'closing' && value !== 'closed') throw damaged(row, 'status')
  return value
}

function key(row: Row): ChannelKey {
  const value = text(row, 'key')
  if (!isKey(value)) throw damaged(row, 'key')
  return value
}

function hex(row: Row, name: string): `0x${string}` {
  const value = text(row, name)
  if (!isHex(value)) throw damaged(row, name)
  return value
}

function amount(row: Row, name: string): bigint {
  const digits = text(row, name)
  if (!/^-?\d+$/.test(digits)) throw damaged(row, name)
  return BigInt(digits)
}

function text(row: Row, name: string): string {
  const value = row.get(name)
  if (typeof value !== 'string') throw damaged(row, name)
  return value
}

const isHex = (value: string): value is `0x${string}` => value.startsWith('0x')
const isKey = (value: string): value is ChannelKey => /^eip155:\d+:0x[^:]*:0x[^:]*$/.test(value)

function damaged(row: Row, name: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `The stored channel ${String(row.get('key'))} is damaged: its ${name} cannot be read. Stop, keep the file, and restore a backup.`,
  )
}
