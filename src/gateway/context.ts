/** What the routes of one gateway share. */
import type { ChannelKey } from '../channel/channel.ts'
import type { AnyRail } from '../receiver/rail.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Books } from './books.ts'
import type { ChainFacts } from './chain-facts.ts'
import type { Limiter } from './limiter.ts'
import type { Tokens } from './tokens.ts'
import type { CheckPassword } from './users.ts'

export type Gateway = {
  readonly receiver: Receiver
  /** The one whose channels are asked about by sender and block. */
  readonly rail: AnyRail
  /** Where it is, without a slash at its end. */
  readonly path: string
  /** Names under which administration is served, in lower case. */
  readonly hosts: ReadonlySet<string>
  readonly closeWithoutProof: boolean
  readonly checkPassword: CheckPassword
  readonly tokens: Tokens
  /** Room for logins that fail. */
  readonly logins: Limiter
  /** Room for requests of which nobody knows who asks. */
  readonly requests: Limiter
  readonly books: Books
  readonly facts: ChainFacts
  /** What administrators have ordered and what is not done yet. */
  readonly underWay: Set<Deed>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** One channel is closed, all are closed, or all are settled. */
export type Deed = ChannelKey | 'close all' | 'settle'
