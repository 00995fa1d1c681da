/** Alarms: told when they begin, while they last, and when they are over. */
import { describe, expect, it } from 'vitest'
import type { LogLevel } from '../src/base/log.ts'
import { alarmLevels, createAlarms, OTHERS, runbookOf, toLog, type AlarmNews } from '../src/receiver/alarm.ts'
import { anchorsOf } from './architecture/pages.ts'

function listener() {
  const told: AlarmNews[] = []
  let nowMs = 1_000
  const alarms = createAlarms([(news) => void told.push(news)], { repeatMs: 100, now: () => nowMs })
  const states = () => told.map(({ name, subject, state }) => `${name} ${subject} ${state}`)
  return { alarms, told, states, pass: (ms: number) => (nowMs += ms) }
}

describe('an alarm', () => {
  it('is told once however often it is raised, again after a while, and when it is over', () => {
    const { alarms, states, pass } = listener()
    alarms.raise('node-behind', 'node', 'It is behind.')
    alarms.raise('node-behind', 'node', 'It is behind.')
    pass(99)
    alarms.raise('node-behind', 'node', 'It is behind.')
    expect(states()).toEqual(['node-behind node raised'])
    pass(1)
    alarms.raise('node-behind', 'node', 'It is behind.')
    alarms.raise('node-behind', 'node', 'It is behind.')
    alarms.clear('node-behind', 'node')
    alarms.clear('node-behind', 'node')
    expect(states().slice(1)).toEqual(['node-behind node goes on', 'node-behind node cleared'])
  })

  it('stands with its newest words since it was raised first, until it is cleared', () => {
    const { alarms, told, pass } = listener()
    alarms.raise('settle-overdue', 'a', 'One hour is left.', { hours: '1' })
    pass(10)
    alarms.raise('settle-overdue', 'b', 'Two hours are left.')
    alarms.raise('settle-overdue', 'a', 'Half an hour is left.', { hours: '0.5' })
    expect(alarms.standing()).toEqual([
      {
        name: 'settle-overdue',
        subject: 'a',
        message: 'Half an hour is left.',
        facts: { hours: '0.5' },
        sinceMs: 1_000,
      },
      { name: 'settle-overdue', subject: 'b', message: 'Two hours are left.', facts: {}, sinceMs: 1_010 },
    ])
    alarms.clear('settle-overdue', 'a')
    expect(alarms.standing().map(({ subject }) => subject)).toEqual(['b'])
    expect(told.at(-1)).toMatchObject({ state: 'cleared', sinceMs: 1_000, atMs: 1_010 })
  })

  it('is one for all when there are too many of its name, and hides none of another name', () => {
    const { alarms, told } = listener()
    for (let i = 0; i < 5_000; i += 1) alarms.raise('close-requested', `${i}`, 'A sender leaves.')
    expect(told.length).toBe(1_001)
    expect(alarms.standing().length).toBe(1_001)
    alarms.raise('gas-money-low', 'account', 'Send it coins.')
    expect(told.at(-1)).toMatchObject({ name: 'gas-money-low', state: 'raised' })
    alarms.clear('close-requested', '4999')
    expect(alarms.standing().some(({ subject }) => subject === OTHERS)).toBe(true)
    alarms.clear('close-requested', '0')
    expect(alarms.standing().some(({ subject }) => subject === OTHERS)).toBe(true)
    alarms.clear('close-requested', '1')
    expect(alarms.standing().some(({ subject }) => subject === OTHERS)).toBe(false)
    expect(alarms.standing().length).toBe(999)
  })

  it('reaches the sinks behind one that throws, and whoever raises it hears nothing of that', () => {
    const told: AlarmNews[] = []
    const broken = () => {
      throw new Error('full')
    }
    const alarms = createAlarms([broken, (news) => void told.push(news), broken])
    alarms.raise('books-disagree', 'channel', 'Look.')
    alarms.clear('books-disagree', 'channel')
    expect(told.map(({ state }) => state)).toEqual(['raised', 'cleared'])
  })
})

describe('the log', () => {
  it('gets a line under the name of the alarm, with the page that says what to do', () => {
    const lines: [LogLevel, string, unknown][] = []
    const alarms = createAlarms([toLog((level, event, details) => void lines.push([level, event, details]))])
    alarms.raise('gas-money-low', '0xaa', 'Send it coins.', { balance: '1' })
    alarms.clear('gas-money-low', '0xaa')
    const page = 'docs/reference/alarms.md#gas-money-low'
    expect(lines).toEqual([
      ['error', 'gas-money-low', { subject: '0xaa', message: 'Send it coins.', balance: '1', page }],
      ['info', 'alarm-cleared', { alarm: 'gas-money-low', subject: '0xaa' }],
    ])
  })

  it('names pages that are there, and every one of them is about an alarm', () => {
    const anchors = anchorsOf('docs/reference/alarms.md')
    const names = Object.keys(alarmLevels) as (keyof typeof alarmLevels)[]
    expect(names.filter((name) => !anchors.has(runbookOf(name).split('#')[1]!))).toEqual([])
  })
})
