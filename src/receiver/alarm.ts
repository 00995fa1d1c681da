/**
 * What an operator has to hear before money is lost.
 *
 * An alarm stands from the moment that it is raised until it is cleared, and is
 * told to every sink when it begins, every hour that it goes on, and when it is
 * over. It is named by what is wrong and by what it is wrong with. Raising one
 * never throws and never waits: whoever found something wrong has other work.
 *
 * Subjects and facts go to logs and to other machines: channel ids and amounts,
 * never the address of a sender, never a signature.
 */
import type { Log, LogLevel } from '../base/log.ts'

/** `warn`: somebody should look today. `error`: money is at risk until somebody looks. */
export const alarmLevels = {
  'close-requested': 'warn',
  'settle-overdue': 'error',
  'payment-lost': 'error',
  'exposure-high': 'warn',
  'gas-money-low': 'error',
  'node-unreachable': 'error',
  'node-behind': 'error',
  'deposit-vanished': 'error',
  'voucher-refused': 'error',
  'transaction-stuck': 'error',
  'books-disagree': 'error',
} as const satisfies Record<string, LogLevel>

export type AlarmName = keyof typeof alarmLevels

export type Facts = Readonly<Record<string, string>>

export type Alarm = {
  readonly name: AlarmName
  /** What it is about: a channel, a node, an account. */
  readonly subject: string
  /** For people: what is wrong, then what to do. */
  readonly message: string
  readonly facts: Facts
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number
}

/** `goes on`: it was told before. */
export type AlarmNews = Alarm & { readonly state: 'raised' | 'goes on' | 'cleared'; readonly atMs: number }

/** Whoever is told. It must not wait; what it throws is lost. */
export type AlarmSink = (news: AlarmNews) => void

export type Alarms = {
  /** Raises an alarm, or brings up to date one that stands. */
  raise(name: AlarmName, subject: string, message: string, facts?: Facts): void
  /** Ends an alarm; nothing happens if it does not stand. */
  clear(name: AlarmName, subject: string): void
  /** The oldest first. */
  standing(): readonly Alarm[]
}

export type AlarmOptions = {
  /** After how long an alarm that is raised again is told again, in milliseconds. Default: an hour. */
  readonly repeatMs?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/** Alarms of one name that are told apart. A thousand strangers must not fill the memory, nor hide what is not theirs. */
const MOST = 1_000

/** The subject of all that are too many to be told apart. */
export const OTHERS = 'others'

type Standing = Alarm & { readonly toldMs: number }

export function createAlarms(
  sinks: readonly AlarmSink[],
  { repeatMs = 3_600_000, now = () => Date.now() }: AlarmOptions = {},
): Alarms {
  const byName = new Map<AlarmName, Map<string, Standing>>()

  return {
    raise(name, subject, message, facts = {}) {
      const standing = byName.get(name) ?? new Map<string, Standing>()
      byName.set(name, standing)
      const apart = standing.has(subject) || standing.size < MOST
      const known = standing.get(apart ? subject : OTHERS)
      const atMs = now()
      const isDue = !known || atMs - known.toldMs >= repeatMs
      const alarm = {
        name,
        ...(apart ? { subject, message, facts } : { subject: OTHERS, message: TOO_MANY, facts: {} }),
        sinceMs: known?.sinceMs ?? atMs,
        toldMs: isDue ? atMs : known.toldMs,
      }
      standing.set(alarm.subject, alarm)
      if (isDue) tell(sinks, alarm, known ? 'goes on' : 'raised', atMs)
    },

    clear(name, subject) {
      const standing = byName.get(name)
      const over = [standing?.get(subject), standing && standing.size <= MOST ? standing.get(OTHERS) : undefined]
      for (const alarm of over) {
        if (!alarm || !standing?.delete(alarm.subject)) continue
        tell(sinks, alarm, 'cleared', now())
      }
    },

    standing: () =>
      [...byName.values()]
        .flatMap((alarms) => [...alarms.values()])
        .map(({ toldMs: _told, ...alarm }) => alarm)
        .sort((a, b) => a.sinceMs - b.sinceMs),
  }
}

const TOO_MANY = `More than ${MOST.toLocaleString('en')} of this kind stand. The log and the chain know the others.`

function tell(sinks: readonly AlarmSink[], alarm: Alarm, state: AlarmNews['state'], atMs: number): void {
  const { name, subject, message, facts, sinceMs } = alarm
  for (const sink of sinks) {
    try {
      sink({ name, subject, message, facts, sinceMs, state, atMs })
    } catch {
      // The other sinks are told, and the work goes on.
    }
  }
}

/** Where an operator reads what to do about an alarm. */
export function runbookOf(name: AlarmName): string {
  return `docs/reference/alarms.md#${name}`
}

/** Writes each as a line of the log, under its own name, with the page that says what to do. */
export function toLog(log: Log): AlarmSink {
  return ({ name, subject, message, facts, state }) => {
    if (state === 'cleared') log('info', 'alarm-cleared', { alarm: name, subject })
    else log(alarmLevels[name], name, { ...facts, subject, message, page: runbookOf(name) })
  }
}
