/** What rails are made of: `farthing/rails`. */
export { payment } from './dialect/payment.ts'
export { rdn } from './dialect/rdn.ts'
export { raiden } from './escrow/raiden.ts'
export { session } from './escrow/session.ts'
export type { Dialect } from './dialect/dialect.ts'
export type { Deployment, Escrow } from './escrow/escrow.ts'
