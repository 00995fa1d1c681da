import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { findAnvil, startAnvil } from '../../src/chain/anvil.ts'
import { ConfigError } from '../../src/base/faults.ts'

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('anvil', () => {
  it('listens on a free port of this machine with accounts that have coins, until it is stopped', async () => {
    const anvil = await startAnvil({ chainId: 4242, accounts: 3 })
    const ask = async (method: string, ...params: unknown[]) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const answer = await fetch(anvil.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return ((await answer.json()) as { result: unknown }).result
    }

    expect(anvil.accounts).toHaveLength(3)
    expect(await ask('eth_chainId')).toBe('0x1092')
    expect(BigInt((await ask('eth_getBalance', anvil.accounts[2]!.address, 'latest')) as string)).toBe(10n ** 22n)

    await anvil.stop()
    expect(isAlive(anvil.pid)).toBe(false)
    await anvil.stop()
  })

  it('names the port that is taken', async () => {
    const anvil = await startAnvil()
    const second = startAnvil({ port: anvil.port })
    await expect(second).rejects.toThrow(ConfigError)
    await expect(second).rejects.toThrow(`port: ${anvil.port} is in use`)
    await anvil.stop()
  })

  it('says what to do when the binary is missing or its arguments are wrong', async () => {
    await expect(startAnvil({ bin: '/nowhere/anvil' })).rejects.toThrow(/anvil: \/nowhere\/anvil cannot be started/)
    await expect(startAnvil({ args: ['--no-such-thing'] })).rejects.toThrow(/anvil: did not start: .*no-such-thing/s)
  })

  it('prefers ANVIL_BIN, then the one of this package, then the PATH', () => {
    expect(findAnvil({ ANVIL_BIN: '/opt/anvil', PATH: '' })).toBe('/opt/anvil')
    expect(findAnvil({ PATH: '' })).toMatch(/node_modules\/\.bin\/anvil$/)
  })

  it('ends when the process that started it is killed', async () => {
    const program = `import { startAnvil } from './src/chain/anvil.ts'
      const { url } = await startAnvil()
      console.log(url)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const url = line.toString().trim()
    const answers = () =>
      fetch(url).then(
        () => true,
        () => false,
      )
    expect(await answers()).toBe(true)

    parent.kill('SIGKILL')

    await expect.poll(answers, { timeout: 10_000 }).toBe(false)
  })
})
