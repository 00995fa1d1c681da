/** `farthing get` against a running `farthing dev`: one transaction for the first purchase, none for the next. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { coin } from '../../src/cli/dev/image.ts'
import { encryptKey } from '../../src/cli/keystore.ts'
import { newHome, sentBy, tokensOf, type Dev, type Ran } from './farthing.ts'

const home = newHome()
let dev: Dev
let keys: string
beforeAll(async () => {
  dev = await home.dev('--port', '0')
  keys = join(home.folder, 'keys')
  mkdirSync(keys)
  writeFileSync(join(keys, 'password'), 'correct horse\n', { mode: 0o600 })
}, 60_000)

/** Options that make one of the dev accounts pay, from a key file. */
function as(n: number): string[] {
  const file = join(keys, `${n}.json`)
  writeFileSync(file, encryptKey(dev.accounts[n]!.privateKey, 'correct horse'), { mode: 0o600 })
  return ['--key', file, '--password-file', join(keys, 'password')]
}

const get = (...args: string[]): Promise<Ran> => home.here(['get', ...args])
const getAlone = (...args: string[]): Promise<Ran> => home.run(['get', ...args])

describe('farthing get', () => {
  it('prints the resource and nothing else; the second purchase makes no transaction', async () => {
    const { address } = dev.accounts[0]!
    expect(await sentBy(dev, address)).toBe(0)
    expect(await getAlone(`${dev.url}/echofix/foo`)).toMatchObject({ code: 0, stdout: 'foo', stderr: '' })
    expect(await sentBy(dev, address)).toBe(1)
    const port = new URL(dev.url).port
    expect(await getAlone(`localhost:${port}/echofix/bar`)).toMatchObject({ code: 0, stdout: 'bar', stderr: '' })
    expect(await sentBy(dev, address)).toBe(1)
  })

  it('tells in JSON what it cost', async () => {
    const { code, stdout } = await get('--json', `${dev.url}/echodyn/7`)
    expect(code).toBe(0)
    const said = JSON.parse(stdout) as { channel: string }
    expect(said).toEqual({ status: 200, price: '7', charged: '17', channel: said.channel, transactions: [], body: '7' })
    expect(said.channel).toMatch(/^0x[0-9a-f]{64}$/)
  })

  it('leaves bytes as they are, on standard output, in a file and in JSON', async () => {
    const file = join(home.folder, 'coin.png')
    const plain = await getAlone(`${dev.url}/image`)
    const saved = await get('-o', file, '--json', `${dev.url}/image`)
    const json = await get('--json', `${dev.url}/image`)
    expect(plain.bytes.equals(coin)).toBe(true)
    expect(JSON.parse(saved.stdout)).toMatchObject({ status: 200, price: '10', file })
    expect(readFileSync(file).equals(coin)).toBe(true)
    const { body, encoding } = JSON.parse(json.stdout) as { body: string; encoding: string }
    expect([encoding, Buffer.from(body, 'base64').equals(coin)]).toEqual(['base64', true])
  })

  it('says what it does when it is asked to, and never shows a payment', async () => {
    const { code, stdout, stderr } = await get('-v', ...as(1), `${dev.url}/echofix/foo`)
    expect([code, stdout]).toEqual([0, 'foo'])
    expect(stderr).toContain('* opening a channel')
    expect(stderr).toContain('* paying 5 base units')
    expect(stderr).toContain('> GET')
    expect(stderr).toContain('< 402')
    expect(stderr).toContain('authorization: (hidden)')
    expect(stderr).not.toMatch(/Authorization: Payment/i)
    expect(stderr).not.toContain(dev.accounts[1]!.privateKey.slice(2))
  })

  it('shows status and headers with -i', async () => {
    const { stdout } = await get('-i', `${dev.url}/echofix/foo`)
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\n[\s\S]*payment-receipt: [\s\S]*\n\nfoo$/)
  })

  it('buys twice at the same time from one account, through one channel', async () => {
    const { address } = dev.accounts[2]!
    const buyer = as(2)
    const runs = await Promise.all(
      ['a', 'b', 'c'].map((text) => getAlone('--json', ...buyer, `${dev.url}/echofix/${text}`)),
    )
    const said = runs.map(
      ({ stdout }) => JSON.parse(stdout) as { body: string; channel: string; transactions: string[] },
    )
    expect(said.map(({ body }) => body)).toEqual(['a', 'b', 'c'])
    expect(new Set(said.map(({ channel }) => channel)).size).toBe(1)
    expect(said.flatMap(({ transactions }) => transactions).length).toBe(1)
    expect(await sentBy(dev, address)).toBe(1)
    const { stdout } = await home.here(['channels', '--json', ...buyer])
    expect(JSON.parse(stdout)).toMatchObject({ channels: [{ charged: '15', deposit: '500' }] })
  })

  it('tops the channel up when it is used up', async () => {
    const buyer = as(3)
    const first = await get('--json', '--deposit', '12', ...buyer, `${dev.url}/echodyn/12`)
    const second = await get('--json', '--deposit', '30', ...buyer, `${dev.url}/echodyn/12`)
    const [one, two] = [first, second].map(
      ({ stdout }) => JSON.parse(stdout) as { channel: string; transactions: string[] },
    )
    expect(two!.channel).toBe(one!.channel)
    expect(two!.transactions.length).toBe(1)
    const { stdout } = await home.here(['channels', '--json', ...buyer])
    expect(JSON.parse(stdout)).toMatchObject({ channels: [{ charged: '24', deposit: '30' }] })
  })
})

describe('farthing get --dry-run', () => {
  it('says what it would do, and signs and sends nothing', async () => {
    const { address } = dev.accounts[4]!
    const before = await tokensOf(dev, address)
    const { code, stdout } = await get('--dry-run', ...as(4), `${dev.url}/echofix/foo`)
    expect(code).toBe(0)
    expect(stdout).toContain('price     5 base units (0.000005 FARDEMO)')
    expect(stdout).toContain(dev.receiver.toLowerCase())
    expect(stdout).toContain('open a channel with a deposit of 500 base units')
    expect(stdout).toContain('Nothing was signed or sent.')
    expect([await sentBy(dev, address), await tokensOf(dev, address)]).toEqual([0, before])
  })

  it('needs no password', async () => {
    const [, file] = as(4)
    const { code, stdout } = await get('--dry-run', '--json', '--key', file!, `${dev.url}/image`)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 402,
      price: '10',
      action: 'open',
      channel: null,
      deposit: '1000',
    })
  })

  it('knows the channel that would be used, and does not charge it', async () => {
    const { stdout: before } = await home.here(['channels', '--json'])
    const { stdout } = await get('--dry-run', '--json', `${dev.url}/echofix/foo`)
    const { channels } = JSON.parse(before) as { channels: { id: string }[] }
    expect(JSON.parse(stdout)).toMatchObject({ action: 'pay', channel: channels[0]!.id, deposit: '0' })
    expect((await home.here(['channels', '--json'])).stdout).toBe(before)
  })

  it('says when there is nothing to pay', async () => {
    expect((await get('--dry-run', dev.url)).stdout).toMatch(/^This is free/)
  })
})

describe('farthing get refuses, before it signs anything,', () => {
  it('what costs more than --max, with exit code 3', async () => {
    const { address } = dev.accounts[5]!
    const { code, stdout, stderr } = await getAlone('--max', '4', ...as(5), `${dev.url}/echofix/foo`)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toBe(
      'farthing: This costs 5 base units and --max is 4. Nothing was signed. Raise --max if it is worth it.\n',
    )
    expect(await sentBy(dev, address)).toBe(0)
  })

  it('what costs more than anybody usually means', async () => {
    const { code, stderr } = await get(`${dev.url}/echodyn/100001`)
    expect([code, stderr]).toEqual([3, expect.stringContaining('--max is 100000') as string])
  })

  it('an escrow contract that nobody named, and a token that is not to be spent', async () => {
    const other = '0x00000000000000000000000000000000000000aa'
    const escrow = await get('--escrow', other, ...as(5), `${dev.url}/echofix/foo`)
    const token = await get('--token', other, '--json', ...as(5), `${dev.url}/echofix/foo`)
    expect(escrow.code).toBe(3)
    expect(escrow.stderr).toContain(`Escrow contract ${dev.escrow.toLowerCase()} is unknown; allow it with --escrow`)
    expect(token.code).toBe(3)
    expect(JSON.parse(token.stdout)).toMatchObject({ error: { code: 'no-acceptable-offer' } })
    expect(await sentBy(dev, dev.accounts[5]!.address)).toBe(0)
  })

  it('a deposit that the account cannot pay', async () => {
    const file = join(keys, 'poor.json')
    writeFileSync(file, encryptKey(`0x${'42'.repeat(32)}`, 'correct horse'), { mode: 0o600 })
    const { code, stderr } = await get('--key', file, '--password-file', join(keys, 'password'), `${dev.url}/text`)
    expect(code).toBe(3)
    expect(stderr).toContain('holds 0 of token')
  })

  it('to pay without a chain or an account, and says what to name', async () => {
    const stranger = newHome()
    const nothing = await stranger.here(['get', `${dev.url}/echofix/foo`])
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('--rpc') as string])
    const noKey = await stranger.here([
      'get',
      '--rpc',
      dev.rpc,
      '--escrow',
      dev.escrow,
      '--token',
      dev.token,
      `${dev.url}/text`,
    ])
    expect([noKey.code, noKey.stderr]).toEqual([2, expect.stringContaining('farthing keys new') as string])
  })
})

describe('farthing get elsewhere', () => {
  it('takes chain, contracts and key from the environment', async () => {
    const stranger = newHome()
    const { privateKey, address } = dev.accounts[6]!
    const env = {
      FARTHING_RPC: dev.rpc,
      FARTHING_ESCROW: dev.escrow,
      FARTHING_TOKEN: dev.token,
      FARTHING_KEY: privateKey,
    }
    const { code, stdout } = await stranger.here(['get', `${dev.url}/echofix/foo`], env)
    expect([code, stdout]).toEqual([0, 'foo'])
    expect(await sentBy(dev, address)).toBe(1)
    expect(readdirSync(stranger.folder)).toContain(`31337-${address.toLowerCase()}.db`)
  })
})

describe('the environment', () => {
  it('does not matter at the address of a running farthing dev', async () => {
    const env = { FARTHING_RPC: 'http://127.0.0.1:9', FARTHING_KEY: `0x${'33'.repeat(32)}`, FARTHING_ESCROW: 'x' }
    expect(await home.here(['get', `${dev.url}/echofix/foo`], env)).toMatchObject({ code: 0, stdout: 'foo' })
  })
})

describe('farthing get after farthing dev was started again', () => {
  it('buys on the new chain, where its old channel never was', async () => {
    const { port } = new URL(dev.url)
    await dev.stop()
    const again = await home.dev('--port', port)
    expect(again.url).toBe(dev.url)
    const { code, stdout } = await get('--json', `${again.url}/echofix/foo`)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ charged: '5', transactions: [expect.any(String) as string] })
    await again.stop('SIGKILL')
    const dead = await get(`${again.url}/echofix/foo`)
    expect([dead.code, dead.stderr]).toEqual([4, expect.stringContaining('does not answer') as string])
    const channels = await home.here(['channels'])
    expect([channels.code, channels.stderr]).toEqual([2, expect.stringContaining('no `farthing dev` runs') as string])
  })
})
