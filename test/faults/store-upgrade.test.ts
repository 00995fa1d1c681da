/** Stores of older versions of this program, written by hand as those wrote them. */
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqlite } from '../../src/store/sqlite.ts'
import { channelOf, listed } from '../support/store-fixtures.ts'

const open = channelOf(1, { charged: 3n, voucher: { cumulativeAmount: 2n ** 100n, signature: '0xabcd' } })
const closing = channelOf(2, { status: 'closing', withdrawableAt: { time: 9n }, logIndex: 4, closeStated: 5n })
const agreed = channelOf(3, { closeAgreed: 6n })

const first = `
  CREATE TABLE channels (
    key TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, chain_id INTEGER NOT NULL, escrow TEXT NOT NULL,
    sender TEXT NOT NULL, receiver TEXT NOT NULL, token TEXT NOT NULL, signer TEXT NOT NULL, terms TEXT,
    status TEXT NOT NULL, deposit TEXT NOT NULL, settled TEXT NOT NULL, block TEXT NOT NULL,
    withdrawable_block TEXT, withdrawable_time TEXT,
    cumulative_amount TEXT, signature TEXT, charged TEXT NOT NULL
  ) STRICT;
  CREATE TABLE records (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, written_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX records_by_age ON records (written_ms);
  INSERT INTO records VALUES ('"note:1"', '"kept"', 1);
  PRAGMA application_id = 1179800647;
  PRAGMA user_version = 1;`

const second = `
  ALTER TABLE channels ADD COLUMN log_index TEXT;
  ALTER TABLE channels ADD COLUMN close_stated TEXT;
  ALTER TABLE channels ADD COLUMN close_agreed TEXT;
  PRAGMA user_version = 2;`

function write(db: DatabaseSyncInstance, channel: ReturnType<typeof channelOf>): void {
  const { withdrawableAt: at, voucher, terms } = channel
  const cells = {
    ...{ key: channel.key, id: channel.id, chain_id: channel.chainId, escrow: channel.escrow, sender: channel.sender },
    ...{
      receiver: channel.receiver,
      token: channel.token,
      signer: channel.signer,
      terms: terms === undefined ? null : JSON.stringify(terms),
    },
    ...{
      status: channel.status,
      deposit: `${channel.deposit}`,
      settled: `${channel.settled}`,
      block: `${channel.block}`,
    },
    ...(at && 'time' in at && { withdrawable_time: `${at.time}` }),
    ...(voucher && { cumulative_amount: `${voucher.cumulativeAmount}`, signature: voucher.signature }),
    charged: `${channel.charged}`,
    ...(channel.logIndex !== undefined && { log_index: `${channel.logIndex}` }),
    ...(channel.closeStated !== undefined && { close_stated: `${channel.closeStated}` }),
    ...(channel.closeAgreed !== undefined && { close_agreed: `${channel.closeAgreed}` }),
  }
  const marks = Object.keys(cells).map(() => '?')
  db.prepare(`INSERT INTO channels (${Object.keys(cells).join()}) VALUES (${marks.join()})`).run(
    ...Object.values(cells),
  )
}

describe.each([false, true])('sqlite(path, { shared: %s })', (shared) => {
  it.each([
    [1, first, [open]],
    [2, first + second, [open, closing, agreed]],
  ])('brings a store of version %d up to date, to the unit', async (_version, schema, channels) => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-upgrade-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'channels.db')
    const old = new DatabaseSync(path)
    old.exec(schema)
    for (const channel of channels) write(old, channel)
    old.close()

    let store = sqlite(path, { shared })
    expect(await listed(store)).toEqual(channels)
    expect(await store.readRecord('note:1')).toBe('kept')
    await store.update(open.key, (now) => ({ ...now!, charged: 4n }))
    await store.close()
    store = sqlite(path, { shared })
    expect(await store.get(open.key)).toEqual({ ...open, charged: 4n })
    await store.close()
  })
})
