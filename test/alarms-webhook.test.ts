/** Alarms that leave the machine: a signed webhook to a real server, and the numbers that a monitoring system reads. */
import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { countAlarms, serveMetrics, writeMetrics } from '../src/gateway/metrics.ts'
import { createAlarms } from '../src/receiver/alarm.ts'
import { createAlarmWebhook, type AlarmWebhookConfig } from '../src/receiver/alarm-webhook.ts'
import { defaultLimits, freshLive } from '../src/receiver/context.ts'
import { tableBelow } from './architecture/pages.ts'
import { listen, until } from './support/market.ts'

const SECRET = 'a secret of the operator, long'
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

type Got = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly atMs: number }

/** A place that is told, which answers each attempt with the next of `statuses`, then with 204. 0: no answer at all. */
async function openPlace(...statuses: number[]) {
  const got: Got[] = []
  const { url, close } = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      got.push({ headers: request.headers, body, atMs: Date.now() })
      const status = statuses.shift() ?? 204
      if (status === 0) return
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
    })
  })
  endings.push(close)
  const lines: { event: string; message: unknown }[] = []
  const open = (config: Partial<AlarmWebhookConfig> = {}) => {
    const log: AlarmWebhookConfig['log'] = (_level, event, details) =>
      void lines.push({ event, message: details?.message })
    const webhook = createAlarmWebhook({
      url: `${url}/told?token=x`,
      secret: SECRET,
      source: 'test',
      log,
      retryMs: 5,
      ...config,
    })
    endings.push(() => webhook.stop())
    return { webhook, alarms: createAlarms([webhook.sink]) }
  }
  return { got, lines, open }
}

const idsOf = (got: readonly Got[]) => got.map(({ headers }) => headers['webhook-id'])

describe('a webhook', () => {
  it('gets a signed POST when an alarm begins and when it is over, in this order', async () => {
    const { got, open } = await openPlace()
    const { alarms } = open()
    alarms.raise('gas-money-low', '0xaa', 'Send it coins.', { balance: '1' })
    alarms.clear('gas-money-low', '0xaa')
    await until(() => got.length === 2)
    const [raised, cleared] = got.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(raised).toMatchObject({
      type: 'alarm.raised',
      data: {
        name: 'gas-money-low',
        level: 'error',
        subject: '0xaa',
        message: 'Send it coins.',
        facts: { balance: '1' },
        page: 'docs/reference/alarms.md#gas-money-low',
        source: 'test',
      },
    })
    expect(cleared).toMatchObject({ type: 'alarm.cleared', data: { name: 'gas-money-low', subject: '0xaa' } })
    for (const { headers, body } of got) {
      const [id, time] = [headers['webhook-id'], headers['webhook-timestamp']]
      const digest = createHmac('sha256', SECRET)
        .update(`${String(id)}.${String(time)}.${body}`)
        .digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${digest}`)
      expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(5)
      expect(headers['content-type']).toBe('application/json')
    }
    expect(new Set(idsOf(got)).size).toBe(2)
  })

  it('signs as the specification does, whose example this is', async () => {
    const { got, open } = await openPlace()
    const { alarms } = open({ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
    alarms.raise('node-behind', 'x', 'It is.')
    await until(() => got.length === 1)
    const { headers, body } = got[0]!
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
  })

  it('is tried again with the same id, ever more rarely, after errors, silence and redirects', async () => {
    const { got, lines, open } = await openPlace(500, 0, 302)
    const { alarms } = open({ retryMs: 50, timeoutMs: 100 })
    alarms.raise('node-unreachable', 'chain', 'No node answers.')
    await until(() => got.length === 4)
    expect(new Set(idsOf(got)).size).toBe(1)
    const [first, second, , fourth] = got.map(({ atMs }) => atMs)
    expect(second! - first!).toBeGreaterThanOrEqual(45)
    // A silent attempt of 100 ms, then pauses of 100 and 200.
    expect(fourth! - second!).toBeGreaterThanOrEqual(390)
    expect(lines).toEqual([])
  })

  it('is given up after so many attempts, which is said without its URL, and the next alarm is told', async () => {
    const { got, lines, open } = await openPlace(500, 500, 500)
    const { alarms } = open({ attempts: 3 })
    alarms.raise('node-unreachable', 'chain', 'No node answers.')
    alarms.raise('gas-money-low', '0xaa', 'Send it coins.')
    await until(() => got.length === 4)
    expect(lines).toEqual([{ event: 'alarm-not-delivered', message: 'it answers 500' }])
    expect(JSON.stringify(lines)).not.toContain('token')
    expect(got[3]!.body).toContain('gas-money-low')
  })

  it('holds up nobody who raises an alarm, and keeps the newest thousand that wait', async () => {
    const { got, open } = await openPlace(0)
    const { webhook, alarms } = open({ timeoutMs: 50, attempts: 1 })
    const startMs = performance.now()
    alarms.raise('close-requested', 'first', 'A sender leaves.')
    await until(() => got.length === 1)
    const news = { name: 'node-behind', message: '', facts: {}, sinceMs: 0, atMs: 0, state: 'raised' } as const
    for (let i = 0; i < 3_000; i += 1) webhook.sink({ ...news, subject: `${i}` })
    expect(performance.now() - startMs).toBeLessThan(1_000)
    await until(() => got.length === 1_001)
    expect(got[1]!.body).toContain('"subject":"2000"')
  }, 20_000)

  it('is told what is waiting when its program stops, and does not hold that up for long', async () => {
    const { got, open } = await openPlace(500)
    const { webhook, alarms } = open({ retryMs: 60_000 })
    alarms.raise('node-behind', 'x', 'It is.')
    await until(() => got.length === 1)
    await webhook.stop()
    expect(got.length).toBe(2)
    const deaf = await openPlace(0, 0)
    const other = deaf.open({ timeoutMs: 100 })
    other.alarms.raise('node-behind', 'x', 'It is.')
    await until(() => deaf.got.length === 1)
    const startMs = performance.now()
    await other.webhook.stop()
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })

  it.each([
    [{ url: 'http://alarms.example/told' }, 'url: use an https URL; http only on this machine'],
    [{ url: 'ftp://127.0.0.1/' }, 'url: use an https URL; http only on this machine'],
    [{ url: 'https://a:b@alarms.example/' }, 'url: holds a name or a password. Leave them out'],
    [{ secret: 'too short' }, 'secret: is shorter than 24 bytes. `openssl rand -base64 32` makes one'],
  ])('is refused at once as %j', async (config, message) => {
    const { open } = await openPlace()
    expect(() => open(config)).toThrow(message)
  })
})

describe('the numbers', () => {
  function watched() {
    const counts = countAlarms()
    return { counts, watched: { alarms: createAlarms([counts.sink]), live: freshLive(defaultLimits) } }
  }

  it('say how many alarms of each name stand and were raised, and name nobody', () => {
    const { counts, watched: it } = watched()
    it.alarms.raise('close-requested', 'eip155:1:0xee:0xabcd', 'A sender leaves.')
    it.alarms.raise('close-requested', 'eip155:1:0xee:0xabce', 'A sender leaves.')
    it.alarms.clear('close-requested', 'eip155:1:0xee:0xabcd')
    it.live.head = 17n
    it.live.chainHeardMs = 1_000
    const text = writeMetrics(it, counts, 3_500)
    expect(text).toContain('# TYPE farthing_alarms_standing gauge\n')
    expect(text).toContain('farthing_alarms_standing{alarm="close-requested"} 1\n')
    expect(text).toContain('farthing_alarms_standing{alarm="books-disagree"} 0\n')
    expect(text).toContain('farthing_alarms_raised_total{alarm="close-requested"} 2\n')
    expect(text).toContain('farthing_chain_head_block 17\n')
    expect(text).toContain('farthing_chain_silence_seconds 2.5\n')
    expect(text).not.toContain('0xabc')
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{alarm="[a-z-]+"\})? -?[\d.]+)$/)
    it.live.recovery.stop()
  })

  it('are served at /metrics and nowhere else', async () => {
    const { counts, watched: it } = watched()
    const { url, close } = await listen(serveMetrics(it, counts))
    endings.push(close)
    const response = await fetch(`${url}/metrics`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    expect(await response.text()).toBe(writeMetrics(it, counts))
    for (const path of ['/', '/metrics/x', '/metricsx']) expect((await fetch(`${url}${path}`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404)
    it.live.recovery.stop()
  })
})

it('every number is in docs/reference/alarms.md, with its type', () => {
  const live = freshLive(defaultLimits)
  const text = writeMetrics({ alarms: createAlarms([]), live }, countAlarms())
  live.recovery.stop()
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type])
  const rows = tableBelow('docs/reference/alarms.md', 'Numbers').map(([name = '', type]) => [
    name.replaceAll('`', '').replace('{alarm}', ''),
    type,
  ])
  expect(rows.sort()).toEqual(types.sort())
})
