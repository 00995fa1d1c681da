/** `farthing serve`: a real server, real purchases, and every way in which it may not start. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAnvil } from '../../src/chain/anvil.ts'
import { encryptKey } from '../../src/cli/keystore.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { ask } from '../proxy/raw.ts'
import { newCertificate } from '../proxy/certificates.ts'
import { listen, startWorld, tokensOf, until } from '../support/market.ts'
import { challengeOf, requestOf } from '../support/wire.ts'
import { newHome, type Ran } from './farthing.ts'
import { newBuyerEnv, newSeller, placeOf, routesFile, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
let seller: Seller
beforeAll(async () => {
  world = await startWorld()
  seller = await newSeller(world, home)
})
afterAll(() => world.anvil.stop())

const free = { free: true, text: 'free' }
const thing = ['--upstream', 'http://127.0.0.1:9', '--price', '5']
const refused = (...args: string[]): Promise<Ran> => home.here(['serve', '--port', '0', ...args])

describe('farthing serve', () => {
  it('sells an upstream by both protocols, and says in one line where and how', async () => {
    const upstream = await listen((request, response) => response.end(`${request.method} ${request.url}`))
    const { process: running, ...ready } = await home.serve([
      ...placeOf(world, seller),
      '--port',
      '0',
      '--upstream',
      upstream.url,
      '--price',
      '5',
    ])
    const place = (protocol: string, escrow: string) => ({
      protocol,
      escrow,
      token: expect.stringMatching(new RegExp(world.token, 'i')) as unknown,
    })
    expect(ready).toMatchObject({
      chainId: world.chainId,
      receiver: seller.address,
      rest: '/api/1',
      rails: [
        place('payment', expect.stringMatching(new RegExp(world.escrow, 'i')) as never),
        place('rdn', expect.stringMatching(new RegExp(world.raiden, 'i')) as never),
      ],
    })
    const buyer = await newBuyerEnv(world)
    for (const protocol of ['payment', 'rdn']) {
      const got = await home.here(['get', '--json', '--protocol', protocol, `${ready.url}/a/b?c=d`], buyer)
      expect(JSON.parse(got.stdout)).toMatchObject({ status: 200, price: '5', charged: '5', body: 'GET /a/b?c=d' })
    }
    const posted = await home.here(['get', '-d', 'x', `${ready.url}/post`], buyer)
    expect(posted.stdout).toBe('POST /post')
    const { stdout } = await home.here(['channels', '--json'], buyer)
    const { channels } = JSON.parse(stdout) as { channels: { protocol: string; charged: string }[] }
    expect(channels.map(({ protocol, charged }) => [protocol, charged]).sort()).toEqual([
      ['payment', '10'],
      ['rdn', '5'],
    ])
    expect(statSync(ready.stateFile).mode & 0o777).toBe(0o600)
    expect(ready.stateFile.startsWith(home.folder)).toBe(true)
    expect(running.said()).toContain('holds a key without a password')
    expect(running.said()).not.toContain(seller.privateKey.slice(2))
    expect(await running.stop()).toBe(0)
    await upstream.close()
  })

  it('lets a person pay with the wallet of a browser, unless it is told not to', async () => {
    const asBrowser = { headers: { accept: 'text/html' } }
    const args = [...placeOf(world, await newSeller(world, home)), '--port', '0', ...thing]
    const open = await home.serve(args)
    const page = await fetch(`${open.url}/a`, asBrowser)
    expect(page.status).toBe(402)
    const [, script] = /<script type="module" src="([^"]+)"/.exec(await page.text()) ?? []
    const loaded = await fetch(new URL(script!, open.url))
    expect([loaded.status, loaded.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
    expect(await open.process.stop()).toBe(0)

    const plain = await home.serve([...args, '--no-paywall'])
    expect(await (await fetch(`${plain.url}/a`, asBrowser)).text()).not.toContain('<script')
    expect(await plain.process.stop()).toBe(0)
  })

  it('is told that its state was put back from a backup where nothing tells', async () => {
    const args = [...placeOf(world, await newSeller(world, home)), '--port', '0', ...thing]
    const { process: running } = await home.serve([...args, '--restored'])
    expect(await running.stop()).toBe(0)
    expect(running.said()).toContain('"store-restored"')
  })

  it('goes on after a restart with what it had', async () => {
    const args = [
      ...placeOf(world, await newSeller(world, home)),
      '--port',
      '0',
      '--files',
      home.folder,
      '--price',
      '5',
    ]
    writeFileSync(join(home.folder, 'a.txt'), 'a file')
    const first = await home.serve(args)
    const buyer = await newBuyerEnv(world)
    await home.here(['get', `${first.url}/a.txt`], buyer)
    await first.process.stop()
    const again = await home.serve(args)
    const { stdout } = await home.here(['get', '--json', `${again.url}/a.txt`], buyer)
    expect(JSON.parse(stdout)).toMatchObject({ body: 'a file', charged: '10', transactions: [] })
    await again.process.stop()
  })

  it('sells what a file says: texts, JSON, files of its own folder, an upstream with a secret of the environment', async () => {
    mkdirSync(join(home.folder, 'shop', 'public'), { recursive: true })
    writeFileSync(join(home.folder, 'shop', 'public', 'a.txt'), 'a file')
    const upstream = await listen((request, response) => response.end(request.headers['x-own']))
    const file = routesFile(home, 'shop/routes.json', {
      'GET /text/:name': { price: '5', text: 'a text' },
      '/doc': { price: { GET: '2', POST: '50', DELETE: { free: true } }, json: { a: [1] }, repeatable: true },
      'GET /files/*': { price: '3', files: './public' },
      'GET /one': { price: '4', file: 'public/a.txt' },
      'GET /up': { price: '1', upstream: { url: upstream.url, headers: { 'X-Own': { env: 'SHOP_SECRET' } } } },
      'GET /health': { free: true, json: { ok: true } },
    })
    const { url, process: running } = await home.serve(
      [file, ...placeOf(world, await newSeller(world, home)), '--port', '0'],
      {
        SHOP_SECRET: 'tell nobody',
      },
    )
    const buyer = await newBuyerEnv(world)
    const buy = async (...args: string[]) => {
      const { stdout } = await home.here(['get', '--json', ...args.slice(0, -1), `${url}${args.at(-1)}`], buyer)
      const { price, body } = JSON.parse(stdout) as { price: string; body: string }
      return [price, body]
    }
    expect(await buy('/text/x')).toEqual(['5', 'a text'])
    expect(await buy('/doc')).toEqual(['2', '{"a":[1]}\n'])
    expect(await buy('-X', 'POST', '/doc')).toEqual(['50', '{"a":[1]}\n'])
    expect(await buy('-X', 'DELETE', '/doc')).toEqual(['0', '{"a":[1]}\n'])
    expect(await buy('/files/a.txt')).toEqual(['3', 'a file'])
    expect(await buy('/one')).toEqual(['4', 'a file'])
    expect(await buy('/up')).toEqual(['1', 'tell nobody'])
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true })
    await running.stop()
    await upstream.close()
  })

  it('takes everything from the environment, several nodes with commas, and the token from the contract', async () => {
    const ready = await home.serve([], {
      FARTHING_RPC: `http://127.0.0.1:9, ${world.anvil.url}`,
      FARTHING_CONTRACT: world.raiden,
      FARTHING_KEY_FILE: seller.keyFile,
      FARTHING_STATE_FILE: join(home.folder, 'from-environment.db'),
      FARTHING_FILES: home.folder,
      FARTHING_PRICE: '7',
      FARTHING_PORT: '0',
      FARTHING_HOST: 'localhost',
      FARTHING_CONFIRMATIONS: '1',
      FARTHING_FROM_BLOCK: '1',
      FARTHING_GAS_PRICE_CAP: '20.5',
      FARTHING_LOG_LEVEL: 'info',
      FARTHING_SETTLE_AGE: '12h',
    })
    expect(ready.rails).toEqual([
      {
        protocol: 'rdn',
        escrow: expect.anything() as unknown,
        token: expect.stringMatching(new RegExp(world.token, 'i')) as unknown,
      },
    ])
    expect(ready.stateFile).toBe(join(home.folder, 'from-environment.db'))
    const response = await fetch(`${ready.url}/from-environment.db`)
    expect([response.status, response.headers.get('rdn-price')]).toEqual([402, '7'])
    await until(() => ready.process.said().includes('"event":"answer"'))
    expect(ready.process.said()).toContain('"level":"info","event":"signature-engine","engine":"native"')
    await ready.process.stop()
  })

  it.each([
    ['when that much is unsettled', ['--settle-amount', '10']],
    ['from half of a cap on', ['--cap-channel', '20']],
  ])('settles by itself %s', async (_what, rules) => {
    const own = await newSeller(world, home)
    const files = ['--files', home.folder, '--price', '5']
    const { url, process: running } = await home.serve([...placeOf(world, own), '--port', '0', ...files, ...rules])
    const buyer = await newBuyerEnv(world)
    const held = await tokensOf(world, own.address)
    const buy = () => home.here(['get', '-o', '/dev/null', `${url}/from-environment.db`], buyer)
    await buy()
    expect(await tokensOf(world, own.address)).toBe(held)
    await buy()
    await until(async () => (await tokensOf(world, own.address)) === held + 10n)
    await running.stop()
  })

  it('offers to send what senders have only signed, if it is told to', async () => {
    const place = ['--rpc', world.anvil.url, '--escrow', world.escrow, '--token', world.token]
    const own = [...place, '--key-file', (await newSeller(world, home)).keyFile, '--port', '0', ...thing]
    const detailsOf = async (...more: string[]) => {
      const { url, process: running } = await home.serve([...own, ...more])
      const { methodDetails } = requestOf(challengeOf(await fetch(`${url}/x`)))
      await running.stop()
      return Object.values(methodDetails).flat()
    }
    expect(await detailsOf()).not.toContain('authorization')
    expect(await detailsOf('--relay-from', '1000')).toContain('authorization')
  })

  it('tells people in one line, and nothing else', async () => {
    const running = home.start(['serve', ...placeOf(world, await newSeller(world, home)), '--port', '0', ...thing])
    expect(await running.firstLine).toMatch(
      /^Selling at http:\/\/127\.0\.0\.1:\d+, paid to 0x\w{40} on chain 31337 by payment and rdn\. Ctrl-C stops\.$/,
    )
    expect(running.said()).toMatch(/^farthing: \S+ holds a key without a password\. .*\n$/)
    await running.stop('SIGINT')
  })
})

describe('farthing serve waits', () => {
  it('for a node, and says so; then it sells', async () => {
    const first = await startAnvil()
    const own = await newSeller(world, home)
    const { port } = first
    await first.stop()
    const args = [
      '--rpc',
      `http://127.0.0.1:${port}`,
      '--contract',
      world.raiden,
      '--token',
      world.token,
      '--key-file',
      own.keyFile,
    ]
    const waiting = home.start(['serve', '--json', ...args, '--port', '0', ...thing])
    await until(() => waiting.said().includes('waiting for a node'))
    const late = home.start(['serve', '--json', ...args, '--port', '0', ...thing])
    await until(() => late.said().includes('waiting for a node'))
    expect(await late.stop()).toBe(0)
    const chain = await startAnvil({ port })
    // There is a node, and nothing on its chain.
    expect(await waiting.ended).toBe(2)
    expect(waiting.said()).toContain(`there is no contract at ${world.token.toLowerCase()} on chain 31337`)
    await chain.stop()
  })
})

describe('farthing serve ends', () => {
  it('at SIGTERM after the requests that run, and takes no more', async () => {
    const held: ServerResponse[] = []
    const upstream = await listen((_request, response) => held.push(response))
    const file = routesFile(home, 'slow.json', {
      'GET /slow': { free: true, upstream: upstream.url },
      'GET /quick': free,
    })
    const { url, process: running } = await home.serve([
      file,
      ...placeOf(world, await newSeller(world, home)),
      '--port',
      '0',
    ])
    const slow = fetch(`${url}/slow`)
    await until(() => held.length === 1)
    running.signal('SIGTERM')
    await until(() =>
      ask(url, 'GET', '/quick').then(
        () => false,
        () => true,
      ),
    )
    held[0]!.end('in peace')
    expect(await (await slow).text()).toBe('in peace')
    expect(await running.ended).toBe(0)
    await upstream.close()
  })
})

describe('farthing serve at SIGHUP', () => {
  it('takes the routes as they are now; what is wrong is said, and the old ones stay', async () => {
    const file = routesFile(home, 'changing.json', { 'GET /old': free })
    const { url, process: running } = await home.serve([
      file,
      ...placeOf(world, await newSeller(world, home)),
      '--port',
      '0',
    ])
    const statuses = () => Promise.all(['/old', '/new'].map(async (path) => (await ask(url, 'GET', path)).status))
    expect(await statuses()).toEqual([200, 404])
    routesFile(home, 'changing.json', { 'GET /new': free })
    running.signal('SIGHUP')
    await until(async () => (await statuses()).join() === '404,200')
    routesFile(home, 'changing.json', {
      'GET /old': { price: 5, text: 'x' },
      'GET /files/*': { price: '5', files: './none' },
    })
    running.signal('SIGHUP')
    await until(() => running.said().includes('reload-failed'))
    expect(running.said()).toContain('routes[\\"GET /old\\"].price: 5 is not a price')
    expect(await statuses()).toEqual([404, 200])
    expect(await running.stop()).toBe(0)
  })

  it('takes the certificate as it is now; one that is wrong is said, and the old one stays', async () => {
    const [one, two] = [newCertificate(home.folder, 'one'), newCertificate(home.folder, 'two')]
    const { certFile, keyFile } = one.files
    const { url, process: running } = await home.serve([
      ...placeOf(world, await newSeller(world, home)),
      '--port',
      '0',
      ...thing,
      '--tls-cert',
      certFile,
      '--tls-key',
      keyFile,
    ])
    expect(url).toMatch(/^https:/)
    const answers = async (ca: string) => {
      const { request } = await import('node:https')
      return new Promise<boolean>((resolve) => {
        request(`${url}/x`, { ca, agent: false }, (response) => resolve(response.resume().statusCode === 402))
          .on('error', () => resolve(false))
          .end()
      })
    }
    expect([await answers(one.texts.cert), await answers(two.texts.cert)]).toEqual([true, false])
    writeFileSync(certFile, two.texts.cert)
    running.signal('SIGHUP')
    await until(() => running.said().includes('reload-failed'))
    expect(running.said()).toContain('--tls-key: ')
    expect(await answers(one.texts.cert)).toBe(true)
    writeFileSync(keyFile, two.texts.key)
    running.signal('SIGHUP')
    await until(() => answers(two.texts.cert))
    await running.stop()
  })
})

describe('farthing serve does not start', () => {
  it.each([
    ['with nothing to sell', [], 'CONFIG: is needed: what is sold'],
    ['with two things to sell', [...thing, '--files', '.'], 'CONFIG: is not alone'],
    ['without a price', ['--files', '.'], '--price: is needed'],
    ['with a price beside a file', ['shop.json', '--price', '5'], '--price: is for --upstream and --files'],
    ['with a file that is not there', ['none.json'], 'CONFIG: none.json cannot be read (no such file or directory)'],
    ['without a key', thing, '--key-file: is needed: there is no key yet. Make one with `farthing keys new`'],
    ['with a key on the command line', [...thing, '--key-file', `0x${'1'.repeat(64)}`], '--key-file: takes a file'],
    ['with a price of nothing', ['--files', '.', '--price', '0'], 'Use at least 1 base unit'],
    ['with a price in tokens', ['--files', '.', '--price', '0.5'], 'Use base units of the token'],
    ['with a time without a unit', ['--settle-age', '90'], 'Use a time with its unit'],
    ['with a time that no day has', ['--settle-at', '03:00,24:10'], 'Use times of a day in UTC'],
    ['with a share of all and more', ['--settle-gas-share', '101'], 'Use percent, such as 2 or 0.5; 100 at most'],
    ['with a share of gas alone', [...thing, '--settle-gas-share', '2'], '--coin-price: is needed'],
    ['with the price of a coin alone', [...thing, '--coin-price', '2'], '--settle-gas-share: is needed'],
    ['with a bound on deposits that are not sent', [...thing, '--relay-per-hour', '9'], '--relay-from: is needed'],
    ['with a cap of nothing', ['--cap-total', '0'], 'Use at least 1 base unit'],
    ['with an unknown rail', ['--rail', 'x402'], 'Allowed choices are payment, rdn, both'],
    [
      'with administrators and no REST interface',
      [...thing, '--no-rest', '--admin-host', 'x'],
      '--admin-host: is for the REST interface',
    ],
  ])('%s', async (_what, args, problem) => {
    const { code, stdout, stderr } = await refused(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(problem)
  })

  it('with an environment variable that is empty, and names it', async () => {
    const { code, stderr } = await home.here(['serve', ...thing], { FARTHING_PASSWORD_FILE: '' })
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("from env 'FARTHING_PASSWORD_FILE' is invalid. It is empty") as string,
    ])
  })

  it.each([
    ['--token', ['--rpc', 'http://127.0.0.1:9'], '--token: is needed'],
    [
      '--contract',
      ['--escrow', `0x${'e'.repeat(40)}`, '--token', `0x${'e'.repeat(40)}`, '--rail', 'both'],
      '--contract: is needed for --rail both',
    ],
    ['--rpc', ['--contract', `0x${'e'.repeat(40)}`], '--rpc: is needed'],
  ])('without %s', async (_what, args, problem) => {
    const { code, stderr } = await refused(...thing, '--key-file', seller.keyFile, ...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem) as string])
  })

  it('with a key or a password that others can read', async () => {
    const own = await newSeller(world, home)
    const keyFile = join(home.folder, 'open.json')
    writeFileSync(keyFile, encryptKey(own.privateKey, 'correct horse'), { mode: 0o600 })
    const passwordFile = join(home.folder, 'open-password')
    writeFileSync(passwordFile, 'correct horse\n', { mode: 0o644 })
    const args = [...placeOf(world, { ...own, keyFile }), ...thing, '--password-file', passwordFile]
    const password = await refused(...args)
    expect([password.code, password.stderr]).toEqual([
      2,
      expect.stringContaining(`chmod 600 ${passwordFile}`) as string,
    ])
    chmodSync(keyFile, 0o640)
    const key = await refused(...args)
    expect([key.code, key.stderr]).toEqual([2, expect.stringContaining(`chmod 600 ${keyFile}`) as string])
    chmodSync(keyFile, 0o600)
    chmodSync(passwordFile, 0o600)
    const { process: running, receiver } = await home.serve([...args, '--port', '0'])
    expect([receiver, running.said()]).toEqual([own.address, ''])
    await running.stop()
  })

  it('with contracts that are not there, or not what they are taken for', async () => {
    const own = await newSeller(world, home)
    const at = (...args: string[]) => refused(...thing, '--key-file', own.keyFile, '--rpc', world.anvil.url, ...args)
    const nothing = await at('--contract', `0x${'e'.repeat(40)}`)
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      expect.stringContaining(`--contract: there is no RaidenChannels at 0x${'e'.repeat(40)} on chain 31337`) as string,
    ])
    const wrong = await at('--escrow', world.raiden, '--token', world.token)
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--escrow: the contract at') as string])
    const other = await at('--contract', world.raiden, '--token', world.escrow)
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--token: is') as string])
  })

  it('at a port that is in use, or a host that is elsewhere', async () => {
    const taken = await listen((_request, response) => response.end())
    const args = [
      ...placeOf(world, await newSeller(world, home)),
      ...thing,
      '--state-file',
      join(home.folder, 'ports.db'),
    ]
    const { port } = new URL(taken.url)
    const inUse = await refused(...args, '--port', port)
    expect([inUse.code, inUse.stderr]).toEqual([2, expect.stringContaining(`--port: ${port} is in use`) as string])
    const elsewhere = await refused(...args, '--host', '192.0.2.1')
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      2,
      expect.stringContaining('--host: 192.0.2.1:0 cannot be had') as string,
    ])
    await taken.close()
  })
})

describe('a file with mistakes', () => {
  it('has all of them named, by their paths, before anything is started', async () => {
    const file = routesFile(home, 'wrong.json', {
      'GET /number': { price: 2, text: 'x' },
      'GET /none': { text: 'x' },
      'GET /both': { price: '5', free: true, text: 'x' },
      'GET /misspelt': { pirce: '5', text: 'x' },
      '/by-method': { price: { GET: '5', POST: '0', get: '1' }, text: 'x' },
      'GET /two': { price: '5', text: 'x', json: 1 },
      'GET /up': { price: '5', upstream: { uri: 'https://x', headers: { 'X-A': { env: 'NOT_SET' } }, cookies: 'yes' } },
      'GET /text': { price: '5', text: 7 },
      'GET /list': [],
    })
    const { code, stdout, stderr } = await home.here(['serve', file, '--json'])
    expect(code).toBe(2)
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string; mistakes: string[] } }
    expect([error.code, error.message]).toEqual(['usage', `${file} has 14 mistakes. Nothing of it is used.`])
    const at = (pattern: string, ...more: string[]) => [`routes["${pattern}"]`, ...more].join('.')
    expect(error.mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(': ')))).toEqual([
      at('GET /number', 'price'),
      at('GET /none', 'price'),
      at('GET /both', 'free'),
      at('GET /misspelt'),
      at('GET /misspelt', 'price'),
      at('/by-method', 'price', 'POST'),
      at('/by-method', 'price', 'get'),
      at('GET /two'),
      at('GET /up', 'upstream'),
      at('GET /up', 'upstream', 'cookies'),
      at('GET /up', 'upstream', 'headers', 'X-A'),
      at('GET /up', 'upstream', 'url'),
      at('GET /text', 'text'),
      at('GET /list'),
    ])
    for (const mistake of error.mistakes) expect(stderr).toContain(`  ${mistake}\n`)
  })

  it.each([
    ['{"routes": {', 'the file: is not JSON'],
    ['[]', 'the file: is not a JSON object'],
    ['{}', 'routes: is missing'],
    ['{"routes": {}}', 'routes: has no route'],
    [
      '{"routes": {"GET /a": {"free": true, "text": "a"}, "GET /a": {"free": true, "text": "b"}}}',
      'the file: has a key twice',
    ],
    ['{"route": {}, "routes": {"GET /": {"free": true, "text": ""}}}', 'the file: has "route", which is not known'],
  ])('as %s is refused', async (text, problem) => {
    const { code, stderr } = await refused(routesFile(home, 'text.json', text))
    expect([code, stderr]).toEqual([2, expect.stringContaining(`  ${problem}`) as string])
  })

  it('has those named that only show where it runs: folders, patterns, the REST interface, headers of payments', async () => {
    const file = routesFile(home, 'places.json', {
      'GET /files/*': { price: '5', files: './none' },
      'get /x': { price: '5', text: 'x' },
      'GET /up': { price: '5', upstream: { url: 'https://example.com', headers: { 'RDN-Balance': '1' } } },
    })
    const { code, stderr } = await refused(file, ...placeOf(world, await newSeller(world, home)))
    expect(code).toBe(2)
    expect(stderr).toContain(`${file} has 3 mistakes.`)
    expect(stderr).toContain(`  routes["GET /files/*"].files: ${join(home.folder, 'none')} is not a folder`)
    expect(stderr).toContain('  routes["get /x"]: is not a pattern')
    expect(stderr).toContain('  routes["GET /up"].upstream.headers: RDN-Balance is for payments')
    const swallowed = await refused(
      routesFile(home, 'rest.json', { 'GET /api/:version/stats': free }),
      ...placeOf(world, await newSeller(world, home)),
    )
    expect([swallowed.code, swallowed.stderr]).toEqual([
      2,
      expect.stringContaining('wants requests of /api/1, which is served already') as string,
    ])
  })
})

describe('several receivers on one machine', () => {
  it('sell beside each other, on one chain and by one contract, and each knows only its own channels', async () => {
    const sellers = [await newSeller(world, home), await newSeller(world, home)]
    const servers = await Promise.all(
      sellers.map((one) => home.serve([...placeOf(world, one), '--port', '0', '--files', home.folder, '--price', '5'])),
    )
    const [one, two] = servers.map(({ stateFile }) => stateFile)
    expect(one).not.toBe(two)
    const buyer = await newBuyerEnv(world)
    for (const { url } of servers)
      await home.here(['get', '-o', '/dev/null', '--protocol', 'rdn', `${url}/from-environment.db`], buyer)
    for (const [at, { url, receiver }] of servers.entries()) {
      const { stdout } = await home.here(['stats', '--json', url])
      expect(receiver).toBe(sellers[at]!.address)
      expect(JSON.parse(stdout)).toMatchObject({ statistics: { open_channels: '1', receiver_address: receiver } })
    }
    await Promise.all(servers.map(({ process: running }) => running.stop()))
  })

  it('refuse the file that another process holds, and the file of another receiver', async () => {
    const [own, other] = [await newSeller(world, home), await newSeller(world, home)]
    const { stateFile, process: running } = await home.serve([...placeOf(world, own), '--port', '0', ...thing])
    const twice = await refused(...placeOf(world, own), ...thing)
    expect([twice.code, twice.stderr]).toEqual([
      2,
      expect.stringContaining(`${stateFile} is in use by another process`) as string,
    ])
    await running.stop()
    const theirs = await refused(...placeOf(world, other), ...thing, '--state-file', stateFile)
    expect(theirs.code).toBe(2)
    expect(theirs.stderr).toContain(
      `--state-file: it holds the channels of ${own.address.toLowerCase()}, this receiver is ${other.address.toLowerCase()}`,
    )
    expect(theirs.stderr).toContain('give this one a store of its own')
  })

  it('keep one file when a rail is added, and ask which when each rail has one', async () => {
    const own = await newSeller(world, home)
    const both = [...placeOf(world, own), '--port', '0', ...thing]
    const raiden = await home.serve([...both, '--rail', 'rdn'])
    await raiden.process.stop()
    const added = await home.serve(both)
    expect(added.stateFile).toBe(raiden.stateFile)
    await added.process.stop()
    const payment = await home.serve([...both, '--rail', 'payment'])
    expect(payment.stateFile).not.toBe(raiden.stateFile)
    await payment.process.stop()
    const { code, stderr } = await refused(...both)
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--state-file: is needed: there are channels in') as string,
    ])
    expect(readFileSync(raiden.stateFile).length).toBeGreaterThan(0)
  })
})
