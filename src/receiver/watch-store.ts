/** The vouchers of a receiver whose store is on this machine, read without disturbing whoever has it open. */
import type { Channel } from '../channel/channel.ts'
import { withSnapshot } from '../store/sqlite-snapshot.ts'
import type { Vouchers } from './watch-ledgers.ts'

/** @param folder where there is room for a copy of the file, for this user alone */
export function vouchersIn(path: string, folder: string): Vouchers {
  return (keys) =>
    withSnapshot(path, folder, async (store) => {
      const channels: Channel[] = []
      for (const key of keys) {
        const channel = await store.get(key)
        if (channel) channels.push(channel)
      }
      return channels
    })
}
