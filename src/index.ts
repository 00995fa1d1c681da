/** The words that both sides share: `farthing`. Selling is in `farthing/receiver`, buying in `farthing/sender`. */
export { authorized, available, credit, unsettled } from './channel/channel.ts'
export type { Channel, ChannelKey, Voucher } from './channel/channel.ts'
export type { Funding, Offer, Payment, Receipt } from './channel/messages.ts'
export * from './base/errors.ts'
export * from './base/faults.ts'
export * from './base/spending.ts'
