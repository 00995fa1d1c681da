/** Buy: `farthing/sender`. */
export { createClient, type Channel, type Client, type ClientConfig } from './client.ts'
export { paying } from './paying.ts'
export type { Ahead } from './ahead.ts'
export type { Budget } from './budget.ts'
export type { Closed } from './close.ts'
export type { Progress } from './context.ts'
export type { Session, SessionOptions } from './session.ts'
export type { Hooks } from './hooks.ts'
