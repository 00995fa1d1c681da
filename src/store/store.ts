/**
 * Where channels live, and the small records filed beside them.
 *
 * The promises are in these comments; `test/support/store-suite.ts` holds every
 * implementation to them.
 */
import type { Channel, ChannelKey } from '../channel/channel.ts'

/** Name of the record of how often a store was put back from a backup; absent: never, as far as it knows. */
export const RESTORES = 'store:restores'

/** From the channel as it is to the channel as it shall be. Pure: it may run more than once. */
export type Change = (current: Channel | undefined) => Channel

/** The same, together with the record that is filed under `name`. */
export type ChangeWithRecord = (
  current: Channel | undefined,
  record: string | undefined,
) => { readonly channel: Channel; readonly record: string }

/** `closing`: its sender has asked to leave. `unsettled`: it has not ended, and its voucher is not what was settled. */
export type Kind = 'closing' | 'unsettled'

export type Store = {
  get(key: ChannelKey): Promise<Channel | undefined>
  /** Every channel, or those of one kind; some that have just left the kind may be among them. */
  list(kind?: Kind): AsyncIterable<Channel>

  /**
   * Replaces a channel with `change(current)`, atomically and durably.
   *
   * Resolves only when the new value would survive a crash. No other update of
   * the same key, in any process, runs between the read and the write: two
   * requests that show the same voucher must see exactly one success between
   * them. If `change` throws, nothing is written and the error is rethrown.
   *
   * @throws {StoreUnavailableError} if the value could not be made durable; then it is not visible either
   */
  update(key: ChannelKey, change: Change): Promise<Channel>

  /** `update` of a channel and a record in one commit: both survive a crash, or neither. */
  updateWithRecord(key: ChannelKey, name: string, change: ChangeWithRecord): Promise<Channel>

  /** A record, or undefined. Names are `kind:rest`. */
  readRecord(name: string): Promise<string | undefined>
  /** Replaces a record, atomically and durably; undefined removes it. */
  writeRecord(name: string, change: (current: string | undefined) => string | undefined): Promise<void>
  /** Removes the records of a kind, such as `once:`, that were last written before `beforeMs`. Returns how many. */
  expireRecords(kind: string, beforeMs: number): Promise<number>

  /** Waits for what is on its way to the disk, then lets go of the store. Afterwards every call throws. */
  close(): Promise<void>
}
