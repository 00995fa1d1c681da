/** Whether the nodes can be heard, and whether what they say is new. */
import type { Unseen } from '../chain/follow.ts'
import type { Context } from './context.ts'

/** All nodes of a receiver are one way to one chain. */
const SUBJECT = 'chain'

/** Told at each attempt that no node answers. One that fails now and then is no alarm; it comes well before credit ends. */
export function noteUnseen({ alarms, limits }: Context, { sinceMs, error }: Unseen): void {
  const silentMs = Date.now() - sinceMs
  if (silentMs < limits.chainSilenceMs / 4) return
  const seconds = `${Math.floor(silentMs / 1_000)}`
  alarms.raise('node-unreachable', SUBJECT, `No node has answered for ${seconds} s. ${error.message}`, { seconds })
}

export function noteHeard({ alarms }: Context): void {
  alarms.clear('node-unreachable', SUBJECT)
}

/** Older than this, the newest block is no news, in seconds: 25 blocks of the slowest chain in use. */
const BEHIND_S = 300

/** Chains on which a block comes when there is something to put in. */
const withoutRhythm = new Set([1337, 31337])

/** Raises an alarm while the newest block is old, as when a node has lost its peers. */
export function watchHead({ alarms, live, rails }: Context): Promise<void> {
  const age = Math.floor(Date.now() / 1_000) - Number(live.headTime)
  const hasRhythm = rails.some(({ chainId }) => !withoutRhythm.has(chainId))
  if (live.headTime === 0n || !hasRhythm || age <= BEHIND_S) alarms.clear('node-behind', SUBJECT)
  else {
    const message = `The newest block, ${live.head}, is ${age} s old. The node is behind, or the clock of this machine is wrong.`
    alarms.raise('node-behind', SUBJECT, message, { block: `${live.head}`, seconds: `${age}` })
  }
  return Promise.resolve()
}
