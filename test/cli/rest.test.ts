/** The REST interface of `farthing serve` and `farthing dev`, and what the command line makes of it. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { listen, startWorld, until } from '../support/market.ts'
import { newHome, type Dev, type Served } from './farthing.ts'
import { newBuyerEnv, newSeller, placeOf, routesFile } from './seller.ts'

const home = newHome()
const users = join(home.folder, 'users')
const password = join(home.folder, 'password')
let world: LocalChain
let served: Served
beforeAll(async () => {
  world = await startWorld()
  writeFileSync(password, 'correct horse\n', { mode: 0o600 })
  const { stdout } = await home.run(['keys', 'password-hash', 'ada'], { input: 'correct horse\n' })
  writeFileSync(users, stdout, { mode: 0o600 })
  const file = routesFile(home, 'shop.json', { 'GET /:n': { price: '5', text: 'x' } })
  served = await home.serve([
    file,
    ...placeOf(world, await newSeller(world, home)),
    '--port',
    '0',
    '--users-file',
    users,
  ])
  const buyer = await newBuyerEnv(world)
  for (const protocol of ['rdn', 'payment']) await home.here(['get', '--protocol', protocol, `${served.url}/x`], buyer)
}, 60_000)
afterAll(async () => {
  await served.process.stop()
  await world.anvil.stop()
})

describe('farthing keys password-hash', () => {
  it('prints a salted hash, alone or as a line of a users file, and never the password', async () => {
    const input = 'correct horse\r\nanother line\n'
    const [plain, named, again] = await Promise.all([
      home.run(['keys', 'password-hash'], { input }),
      home.run(['keys', 'password-hash', 'ada'], { input }),
      home.run(['keys', 'password-hash', 'ada', '--json'], { input }),
    ])
    expect(plain.stdout).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[\w-]+\$[\w-]{43}\n$/)
    expect(named.stdout).toMatch(/^ada:\$scrypt\$\S+\n$/)
    expect(JSON.parse(again.stdout)).toMatchObject({ name: 'ada', hash: expect.stringMatching(/^\$scrypt/) as string })
    expect(named.stdout.slice(4)).not.toBe(plain.stdout)
  })

  it('takes no empty password, and no name with a colon', async () => {
    const empty = await home.run(['keys', 'password-hash'], { input: '\n' })
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('is empty') as string])
    const colon = await home.here(['keys', 'password-hash', 'a:b'])
    expect([colon.code, colon.stderr]).toEqual([2, expect.stringContaining('has a colon or a space in it') as string])
  })
})

describe('a server with a REST interface', () => {
  it('tells everybody what the chain shows, says that it is alive, and sells beside it', async () => {
    expect(await (await fetch(`${served.url}/api/1/stats`)).json()).toMatchObject({
      open_channels: 1,
      balance_sum: null,
    })
    expect(await (await fetch(`${served.url}/cm`)).json()).toBe('OK')
    expect((await fetch(`${served.url}/cmx`)).status).toBe(402)
    expect((await fetch(`${served.url}/x`)).headers.get('rdn-gateway-path')).toBe('/api/1')
  })

  it('has it not with --no-rest, nor where no channel is closed over REST', async () => {
    const base = placeOf(world, await newSeller(world, home))
    const things = ['--port', '0', '--upstream', 'http://127.0.0.1:9', '--price', '5']
    for (const more of [['--no-rest'], ['--rail', 'payment']]) {
      const other = await home.serve([
        ...base,
        ...things,
        ...more,
        '--state-file',
        join(home.folder, `${more.join('')}.db`),
      ])
      expect([other.rest, (await fetch(`${other.url}/api/1/stats`)).status]).toEqual([null, 402])
      await other.process.stop()
    }
    const useless = await home.here(['serve', ...base, ...things, '--rail', 'payment', '--users-file', users])
    expect([useless.code, useless.stderr]).toEqual([
      2,
      expect.stringContaining('--users-file: and --close-without-proof are for the REST interface') as string,
    ])
  })

  it('closes for anybody who names the last balance only where the operator says so', async () => {
    const close = async (url: string) => {
      const buyer = await newBuyerEnv(world)
      await home.here(['get', '--protocol', 'rdn', `${url}/x`], buyer)
      const senders = (await (await fetch(`${url}/api/1/channels/`)).json()) as {
        sender_address: string
        blocks: number[]
      }[]
      const { blocks } = senders.find(({ sender_address: sender }) => sender === buyer.address)!
      return fetch(`${url}/api/1/channels/${buyer.address}/${blocks[0]}`, {
        method: 'DELETE',
        body: new URLSearchParams({ balance: '5' }),
      })
    }
    expect((await close(served.url)).status).toBe(403)
    const file = routesFile(home, 'trusting.json', { 'GET /:n': { price: '5', text: 'x' } })
    const trusting = await home.serve([
      file,
      ...placeOf(world, await newSeller(world, home)),
      '--port',
      '0',
      '--close-without-proof',
    ])
    const response = await close(trusting.url)
    expect([response.status, await response.json()]).toEqual([
      200,
      { close_signature: expect.stringMatching(/^0x[0-9a-f]{130}$/) as string },
    ])
    await trusting.process.stop()
  })

  it('takes users from a file that only its owner can read, of lines name:hash', async () => {
    const args = ['serve', '--upstream', 'http://127.0.0.1:9', '--price', '5', '--users-file']
    const file = join(home.folder, 'some-users')
    writeFileSync(file, 'ada:correct horse\n', { mode: 0o600 })
    const clear = await home.here([...args, file])
    expect([clear.code, clear.stderr]).toEqual([2, expect.stringContaining('line 1 of') as string])
    expect(clear.stderr).not.toContain('correct')
    writeFileSync(file, '# nobody\n\n')
    const nobody = await home.here([...args, file])
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('names nobody') as string])
    chmodSync(file, 0o644)
    const open = await home.here([...args, file])
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining(`chmod 600 ${file}`) as string])
  })
})

describe('farthing stats', () => {
  it('shows what a server has, and to an administrator what was paid', async () => {
    const { stdout } = await home.here(['stats', served.url.replace('http://', '')])
    expect(stdout).toMatch(/^open channels +\d+$/m)
    expect(stdout).toMatch(/^SENDER +CHANNELS +OPENED IN BLOCK\n0x\w{8}… +1 +\d+$/m)
    expect(stdout).not.toContain('authorized')
    const admin = await home.here(['stats', served.url, '--user', 'ada', '--password-file', password])
    expect(admin.stdout).toMatch(/^authorized +\d+$/m)
    const json = await home.here(['stats', `${served.url}/api/1/`, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      statistics: { deposit_sum: expect.stringMatching(/^\d+$/) as string, balance_sum: null },
      channels: expect.any(Array) as unknown,
    })
  })

  it('loses no digit of an amount', async () => {
    const amounts =
      '{"open_channels":1,"pending_channels":0,"unique_senders":1,"deposit_sum":123456789012345678901234567890,"balance_sum":null,"liquid_balance":9007199254740993,'
    const addresses = `"receiver_address":"0x${'1'.repeat(40)}","contract_address":"0x${'2'.repeat(40)}","token_address":"0x${'3'.repeat(40)}"}`
    const other = await listen((request, response) =>
      response.end(request.url === '/api/1/stats' ? amounts + addresses : '[]'),
    )
    const { stdout } = await home.here(['stats', '--json', other.url])
    expect(JSON.parse(stdout)).toMatchObject({
      statistics: { deposit_sum: '123456789012345678901234567890', liquid_balance: '9007199254740993' },
    })
    await other.close()
  })

  it('shows it again and again, until it is stopped', async () => {
    const watching = home.start(['stats', served.url, '--watch', '1s', '--json'])
    const seen: string[] = []
    watching.onLine((line) => seen.push(line))
    await until(() => seen.length > 2)
    expect(await watching.stop('SIGINT')).toBe(0)
  })

  it('says when there is nothing like it at an address', async () => {
    const nothing = await home.here(['stats', world.anvil.url])
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('URL: ') as string])
    const away = await home.here(['stats', 'http://127.0.0.1:9'])
    expect([away.code, away.stderr]).toEqual([4, expect.stringContaining('does not answer') as string])
    const strange = await listen((_request, response) => response.end('{"open_channels": {}}'))
    const other = await home.here(['stats', strange.url])
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringContaining('does not answer like the REST interface of a receiver') as string,
    ])
    await strange.close()
  })
})

describe('farthing dev', () => {
  let dev: Dev
  beforeAll(async () => {
    dev = await home.dev('--port', '0')
  }, 60_000)

  it('is paid by the protocol of µRaiden on the same URLs, and agrees to close over REST', async () => {
    const buy = async (...args: string[]) =>
      JSON.parse((await home.here(['get', '--json', ...args, `${dev.url}/echofix/foo`])).stdout) as Record<
        string,
        unknown
      >
    const first = await buy('--protocol', 'rdn')
    expect(first).toMatchObject({ status: 200, body: 'foo', price: '5', charged: '5' })
    expect(await buy('--protocol', 'rdn')).toMatchObject({ channel: first.channel, charged: '10', transactions: [] })
    const usual = await buy()
    expect(usual).toMatchObject({ charged: '5' })
    expect(usual.channel).not.toBe(first.channel)
    const rehearsed = await home.here(['get', '--dry-run', '--json', '--protocol', 'rdn', `${dev.url}/text`])
    expect(JSON.parse(rehearsed.stdout)).toMatchObject({
      action: 'pay',
      channel: first.channel,
      escrow: dev.raiden.toLowerCase(),
    })

    const listed = await home.here(['channels', '--json'])
    const { channels } = JSON.parse(listed.stdout) as { channels: { id: string; protocol: string }[] }
    expect(channels.map(({ id, protocol }) => [id, protocol]).sort()).toEqual(
      [
        [first.channel, 'rdn'],
        [usual.channel, 'payment'],
      ].sort(),
    )
    const closed = await home.here(['close', String(first.channel), '--json'])
    expect(closed.code).toBe(0)
    expect(JSON.parse(closed.stdout)).toMatchObject({ channel: first.channel, settled: '10', refunded: '490' })
  })

  it('does not show a payment of either protocol with -v', async () => {
    const { stderr } = await home.here(['get', '-v', '--protocol', 'rdn', `${dev.url}/text`])
    expect(stderr).toContain('rdn-balance-signature: (hidden)')
  })

  it('is not paid by a protocol that it does not offer', async () => {
    const shop = await listen((_request, response) => response.writeHead(402, { 'WWW-Authenticate': 'Basic' }).end())
    const { code, stderr } = await home.here(['get', '--protocol', 'rdn', shop.url])
    expect([code, stderr]).toEqual([3, expect.stringContaining('offer') as string])
    await shop.close()
  })

  it('tells its statistics', async () => {
    const { code, stdout } = await home.here(['stats', dev.url])
    expect([code, stdout]).toEqual([0, expect.stringContaining(dev.raiden) as string])
  })
})
