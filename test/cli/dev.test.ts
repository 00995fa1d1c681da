/** `farthing dev`: everything that a first purchase needs, and nothing of it is left afterwards. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/market.ts'
import { challengeOf, requestOf } from '../support/wire.ts'
import { command, firstLine, isAlive, newHome, rpc, sentBy, tokensOf, type Dev, type Ready } from './farthing.ts'

const home = newHome()
let dev: Dev
beforeAll(async () => {
  dev = await home.dev('--port', '0')
}, 60_000)

async function priceOf(path: string): Promise<string | undefined> {
  const response = await fetch(`${dev.url}${path}`)
  await response.body?.cancel()
  return response.status === 402 ? requestOf(challengeOf(response)).amount : undefined
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}

describe('farthing dev', () => {
  it('says in one line of JSON where everything is', async () => {
    expect(Object.keys(JSON.parse(dev.ready) as object)).toEqual([
      'url',
      'rpc',
      'chainId',
      'token',
      'escrow',
      'raiden',
      'receiver',
      'accounts',
    ])
    expect(Number(await rpc(dev.rpc, 'eth_chainId'))).toBe(dev.chainId)
    for (const contract of [dev.token, dev.escrow]) {
      expect(String(await rpc(dev.rpc, 'eth_getCode', contract, 'latest')).length).toBeGreaterThan(100)
    }
    const request = requestOf(challengeOf(await fetch(`${dev.url}/text`)))
    expect(Object.values(request)).toEqual(expect.arrayContaining([dev.token, dev.receiver]))
    expect(request.methodDetails).toMatchObject({ chainId: dev.chainId, escrowContract: dev.escrow })
  })

  it('has accounts with coins and tokens, none of them the receiver, none of them used', async () => {
    expect(dev.accounts.length).toBeGreaterThan(1)
    for (const { address, privateKey } of dev.accounts) {
      expect(address).not.toBe(dev.receiver)
      expect(privateKey).toMatch(/^0x[0-9a-f]{64}$/)
      expect(BigInt((await rpc(dev.rpc, 'eth_getBalance', address, 'latest')) as string)).toBeGreaterThan(10n ** 18n)
      expect(await tokensOf(dev, address)).toBe(1_000_000_000n)
      expect(await sentBy(dev, address)).toBe(0)
    }
  })

  it.each([
    ['/text', '2'],
    ['/json', '3'],
    ['/image', '10'],
    ['/echofix/foo', '5'],
    ['/echodyn/1', '1'],
    ['/echodyn/999999999999', '999999999999'],
  ])('sells %s for %s', async (path, price) => {
    expect(await priceOf(path)).toBe(price)
  })

  it.each(['0', '-1', '1.5', '01', 'x', '1e3', '9999999999999'])(
    'says that /echodyn/%s is nothing to sell',
    async (n) => {
      const response = await fetch(`${dev.url}/echodyn/${n}`)
      expect(response.status).toBe(400)
      expect(((await response.json()) as { detail: string }).detail).toContain('whole numbers from 1')
    },
  )

  it('has a free page with the prices and the command to buy, for people and for browsers', async () => {
    const text = await (await fetch(dev.url)).text()
    expect(text).toContain('/echofix/:text')
    expect(text).toContain(`npx farthing get ${dev.url}/echofix/foo`)
    const page = await fetch(dev.url, { headers: { accept: 'text/html,*/*' } })
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await page.text()).toContain('<a href="/echofix/foo">')
  })

  it('says which port is in use, with exit code 2', async () => {
    const { port } = new URL(dev.url)
    const { code, stderr } = await home.here(['dev', '--port', port])
    expect(code).toBe(2)
    expect(stderr).toBe(`farthing: port: ${port} is in use. Take another, or 0 for a free one.\n`)
  })

  it('tells people what there is, and what to type next', async () => {
    const [node, ...args] = command
    const child = spawn(node, [...args, 'dev', '--port', '0'], { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await until(() => text.includes('Ctrl-C stops everything'))
    const [, url] = /npx farthing get (http:\S+)\/echofix\/foo/.exec(text) ?? []
    expect((await fetch(`${url}/echofix/foo`)).status).toBe(402)
    await until(() => text.includes('402  GET /echofix/foo'))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(await answers(url!)).toBe(false)
  })

  it('takes the chain with it when the chain dies', async () => {
    const other = await home.dev('--port', '0')
    const [anvil] = await childrenOf(other.pid)
    const ended = new Promise((resolve) => void until(() => !isAlive(other.pid)).then(resolve))
    process.kill(anvil!, 'SIGKILL')
    await ended
    expect(await answers(other.url)).toBe(false)
  })

  it('ends with the program that started it, and so does the chain', async () => {
    const [node, ...args] = command
    // A shell that stays, and is killed so that it can tell nobody.
    const script = '"$@" & wait'
    const shell = spawn('sh', ['-c', script, 'sh', node, ...args, 'dev', '--port', '0', '--json'], { env: home.env })
    const ready = JSON.parse(await firstLine(shell)) as Ready
    expect(await answers(ready.url)).toBe(true)
    shell.kill('SIGKILL')
    await until(async () => !(await answers(ready.url)) && !(await answers(ready.rpc)))
  })

  it('leaves nothing behind after SIGTERM: no process, no port, no file', async () => {
    const children = await childrenOf(dev.pid)
    expect(children.length).toBeGreaterThan(0)
    expect(await dev.stop('SIGTERM')).toBe(0)
    for (const pid of children) await until(() => !isAlive(pid))
    expect([await answers(dev.url), await answers(dev.rpc)]).toEqual([false, false])
    expect(readdirSync(join(home.folder, 'dev')).filter((name) => name.startsWith(`${dev.pid}`))).toEqual([])
  })
})

function childrenOf(pid: number): Promise<number[]> {
  return new Promise((resolve) => {
    const child = spawn('ps', ['-o', 'pid=,comm=', '--ppid', `${pid}`])
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.once('close', () => {
      const lines = text.split('\n').filter((line) => line.includes('anvil'))
      resolve(lines.map((line) => Number.parseInt(line, 10)))
    })
  })
}
