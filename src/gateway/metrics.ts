/**
 * What a monitoring system reads: numbers of a receiver, in the text format of Prometheus.
 *
 * No label names a channel or a sender: strangers make those, and as many as they like.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { alarmLevels, type AlarmName, type AlarmSink, type Alarms } from '../receiver/alarm.ts'
import type { Live } from '../receiver/context.ts'

/** Of a receiver, or of a watcher. */
export type Watched = { readonly alarms: Alarms; readonly live: Live }

export type AlarmCounts = { readonly sink: AlarmSink; readonly raised: ReadonlyMap<AlarmName, number> }

/** Counts alarms as they are raised. */
export function countAlarms(): AlarmCounts {
  const raised = new Map<AlarmName, number>()
  return {
    raised,
    sink: ({ name, state }) => {
      if (state === 'raised') raised.set(name, (raised.get(name) ?? 0) + 1)
    },
  }
}

/** A value, or one for each alarm name. */
type Metric = {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly values: number | readonly (readonly [AlarmName, number])[]
}

export function writeMetrics(watched: Watched, counts: AlarmCounts, nowMs = Date.now()): string {
  return metricsOf(watched, counts, nowMs).map(write).join('')
}

/** Answers `GET /metrics`; anything else is not there. */
export function serveMetrics(
  watched: Watched,
  counts: AlarmCounts,
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ method, url = '' }, response) => {
    const isAsked = method === 'GET' && /^\/metrics(\?|$)/.test(url)
    response.writeHead(isAsked ? 200 : 404, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
    })
    response.end(isAsked ? writeMetrics(watched, counts) : 'Only /metrics is here.\n')
  }
}

function metricsOf({ alarms, live }: Watched, { raised }: AlarmCounts, nowMs: number): Metric[] {
  const names = Object.keys(alarmLevels).filter(isAlarmName)
  const standing = alarms.standing()
  const count = (name: AlarmName) => standing.filter((alarm) => alarm.name === name).length
  const silence = live.chainHeardMs === 0 ? -1 : (nowMs - live.chainHeardMs) / 1_000
  const gauge = (name: string, help: string, values: Metric['values']): Metric => ({
    name,
    type: 'gauge',
    help,
    values,
  })
  return [
    gauge(
      'farthing_alarms_standing',
      'Alarms that stand now.',
      names.map((name) => [name, count(name)]),
    ),
    {
      name: 'farthing_alarms_raised_total',
      type: 'counter',
      help: 'Alarms that were raised since the start.',
      values: names.map((name) => [name, raised.get(name) ?? 0]),
    },
    gauge('farthing_ready', '1 while payments can be judged.', live.phase === 'ready' ? 1 : 0),
    gauge('farthing_chain_head_block', 'Newest block that was seen.', Number(live.head)),
    gauge('farthing_chain_silence_seconds', 'Since a node was last heard; -1: never.', silence),
    gauge('farthing_closes_requested', 'Requested closes that are not answered.', live.closing.size),
    gauge('farthing_channels_aside', 'Channels that could not be settled.', live.aside.size),
  ]
}

function write({ name, type, help, values }: Metric): string {
  const lines =
    typeof values === 'number' ? [`${name} ${values}`] : values.map(([alarm, n]) => `${name}{alarm="${alarm}"} ${n}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

function isAlarmName(name: string): name is AlarmName {
  return name in alarmLevels
}
