/** The rails that the demo can be played on, and how somebody who steals or forges would write their payments. */
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import { rail, type AnyRail } from '../../src/receiver/index.ts'

/** The headers of a payment, by their names in lower case. */
export type PaymentHeaders = Readonly<Record<string, string>>

export type DemoRail = {
  /** What it is, for one who has never heard of it. */
  readonly about: string
  /** Who does what when a channel is closed. */
  readonly closing: string
  on(local: LocalChain): AnyRail
  /** Whether a header belongs to its payments. */
  readonly header: RegExp
  /** The payment with another amount under the old signature. */
  withAmount(payment: PaymentHeaders, amount: bigint): PaymentHeaders
}

export const rails = {
  payment: {
    about: 'the Payment scheme of the IETF draft, and the contract ChannelEscrow',
    closing: 'The sender asks for it, and the receiver sends the transaction.',
    on: ({ chainId, escrow, token }) =>
      rail({ dialect: payment({ realm: 'demo' }), escrow: session, chainId, address: escrow, token }),
    header: /^authorization$/,
    withAmount: ({ authorization = '' }, amount) => {
      const text = Buffer.from(authorization.replace('Payment ', ''), 'base64url').toString()
      const changed = text.replace(/"cumulativeAmount":"\d+"/, `"cumulativeAmount":"${amount}"`)
      return { authorization: `Payment ${Buffer.from(changed).toString('base64url')}` }
    },
  },
  rdn: {
    about: 'the RDN-* headers of µRaiden, and the contract RaidenChannels',
    closing: 'The receiver signs that it agrees, at its REST interface, and the sender sends the transaction.',
    on: ({ chainId, raiden: address, token }) => rail({ dialect: rdn(), escrow: raiden, chainId, address, token }),
    header: /^rdn-/,
    withAmount: (paid, amount) => ({ ...paid, 'rdn-balance': `${amount}` }),
  },
} satisfies Record<string, DemoRail>

export type RailName = keyof typeof rails

export const railNames = Object.keys(rails).filter(isRailName)

export function isRailName(name: string): name is RailName {
  return Object.hasOwn(rails, name)
}
