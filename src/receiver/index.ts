/** Sell: `farthing/receiver`. */
export { createReceiver, type Receiver, type ReceiverConfig } from './receiver.ts'
export { rail, type AnyRail, type Rail } from './rail.ts'
export type { Alarm, AlarmName, AlarmNews, AlarmSink } from './alarm.ts'
export { defaultLimits, type Limits, type SettlePolicy } from './context.ts'
export { escaped, plainPage, type Page, type PageFacts, type PageOffer } from './page.ts'
export type { Ceiling, Free, Price } from './price.ts'
export type { Paid } from './sale.ts'
export type { Settlement } from './settle.ts'
