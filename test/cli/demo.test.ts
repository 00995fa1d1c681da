/** `npm run demo`: ends by itself, and every token is accounted for. */
import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'

function play(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts', ...args])
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })))
}

type Outcome = Record<'paid' | 'deposit' | 'settled' | 'refunded', string> & {
  requests: number
  transactions: number
  ok: boolean
}

describe('the demo', () => {
  it('tells the story, and sums it up in one object of which every token is accounted for', async () => {
    const [told, summed] = await Promise.all([play(), play('--json')])
    expect([told.code, summed.code]).toEqual([0, 0])
    for (const line of [
      'opens a channel',
      'topped up',
      'buys nothing',
      'has earned',
      'close the channel',
      'accounted for',
    ]) {
      expect(told.stdout).toContain(line)
    }
    expect(told.stdout).not.toContain('NO ')
    const outcome = JSON.parse(summed.stdout) as Outcome
    expect(outcome).toEqual({
      requests: 23,
      paid: '115',
      deposit: '200',
      settled: '115',
      refunded: '85',
      transactions: 4,
      ok: true,
    })
  }, 60_000)
})
