/** `farthing get` where nothing costs anything: as curl does it, and without an account. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newHome, type Ran } from './farthing.ts'

const home = newHome()
let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = Number(/\/status\/(\d+)/.exec(request.url ?? '')?.[1] ?? 200)
      const location = status === 302 ? { Location: '/elsewhere' } : {}
      response.writeHead(status, { 'Content-Type': 'application/json', ...location })
      const { method, headers } = request
      response.end(JSON.stringify({ method, headers, url: request.url, body: Buffer.concat(chunks).toString('hex') }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

type Seen = { method: string; headers: Record<string, string>; url: string; body: string }

async function seen(...args: string[]): Promise<Seen> {
  return JSON.parse((await home.here(['get', ...args])).stdout) as Seen
}

const get = (...args: string[]): Promise<Ran> => home.here(['get', ...args])

describe('farthing get sends', () => {
  it('a GET with its own name, and asks for bytes that need no unpacking', async () => {
    const { method, headers, url: path } = await seen(`${url}/a?b=c`)
    expect([method, path]).toEqual(['GET', '/a?b=c'])
    expect(headers['user-agent']).toMatch(/^farthing\//)
    expect(headers['accept-encoding']).toBe('identity')
  })

  it('data as a POST, joined as curl joins them', async () => {
    const { method, headers, body } = await seen('-d', 'a=1', '-d', 'b=2', url)
    expect([method, Buffer.from(body, 'hex').toString()]).toEqual(['POST', 'a=1&b=2'])
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded')
  })

  it('the bytes of a file and of standard input as they are', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 65])
    const file = join(home.folder, 'body.bin')
    writeFileSync(file, bytes)
    const fromFile = await seen('-X', 'put', '-H', 'Content-Type: application/octet-stream', '-d', `@${file}`, url)
    const fromInput = await home.run(['get', '-d', '@-', url], { input: 'line\r\n' })
    expect(fromFile).toMatchObject({ method: 'PUT', body: bytes.toString('hex') })
    expect(fromFile.headers['content-type']).toBe('application/octet-stream')
    expect((JSON.parse(fromInput.stdout) as Seen).body).toBe(Buffer.from('line\r\n').toString('hex'))
  })

  it('the headers that it is given', async () => {
    const { headers } = await seen('-H', 'X-One: 1', '-H', 'X-Two:two words ', '-H', 'User-Agent: me', url)
    expect(headers).toMatchObject({ 'x-one': '1', 'x-two': 'two words', 'user-agent': 'me' })
  })
})

describe('farthing get ends', () => {
  it('with 0 whatever the server answers, with 22 if that was asked for', async () => {
    expect(await get(`${url}/status/404`)).toMatchObject({ code: 0, stderr: '' })
    const failing = await home.run(['get', '--fail', `${url}/status/503`])
    expect(failing).toMatchObject({ code: 22, stderr: 'farthing: The server answered 503.\n' })
    expect((await get('--fail', url)).code).toBe(0)
    const moved = await get('-i', `${url}/status/302`)
    expect(moved.stdout).toMatch(/^HTTP\/1\.1 302 Found\n[\s\S]*location: \/elsewhere\n/)
  })

  it('with 4 if no server answers', async () => {
    const { code, stdout, stderr } = await get('--json', 'http://127.0.0.1:9/')
    expect(code).toBe(4)
    expect(stderr).toMatch(/^farthing: http:\/\/127\.0\.0\.1:9\/ does not answer: bad port\. .*\n$/)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'unavailable', message: stderr.trim().slice(10) } })
  })

  it('with 3 if it is asked to pay in a way that it does not know', async () => {
    const { code, stderr } = await get(`${url}/status/402`)
    expect([code, stderr]).toEqual([3, expect.stringContaining('offers no way that this client speaks') as string])
  })

  it.each([
    [['get']],
    [['get', 'http://']],
    [['get', 'ftp://x']],
    [['get', 'http://me:pw@x/']],
    [['get', '-H', 'nonsense', 'x']],
    [['get', '-H', 'X: bad\u0001', 'x']],
    [['get', '-X', 'GET', '-d', 'x', 'x']],
    [['get', '-d', '@/nonexistent', 'x']],
    [['get', '--max', '0', 'x']],
    [['get', '--max', '1.5', 'x']],
    [['get', '--deposit', '-5', 'x']],
    [['get', '--nonsense', 'x']],
    [['nonsense']],
    [['dev', '--port', '70000']],
  ])('with 2 and a line about what is wrong: %s', async (args) => {
    const { code, stdout, stderr } = await home.here(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^farthing: .*\n/)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe('farthing', () => {
  it('says its version and how it is used', async () => {
    const versionRun = await home.run(['--version'])
    const help = await home.here(['--help'])
    const getHelp = await home.here(['get', '--help'])
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(versionRun).toMatchObject({ code: 0, stdout: `${version}\n` })
    for (const name of ['dev', 'get', 'channels', 'close', 'request-close', 'withdraw', 'keys']) {
      expect(help.stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    }
    expect(help.stdout).toContain('Exit codes:')
    expect(getHelp.stdout).toContain('Examples:')
    expect([help.code, getHelp.code]).toEqual([0, 0])
  })
})
