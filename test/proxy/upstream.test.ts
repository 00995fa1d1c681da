/** A paid request goes to the upstream as it is, its answer comes back as it is, and nothing else passes. */
import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../support/market.ts'
import { ask } from './raw.ts'
import { openReseller, type Reseller } from './reseller.ts'

let shop: Reseller
beforeAll(async () => {
  shop = await openReseller((upstream) => ({
    '/api/*': { price: { GET: 5n, POST: 50n, PUT: 7n, DELETE: { free: true } }, upstream: `${upstream}/base/` },
    'GET /weather': {
      price: 3n,
      upstream: {
        url: `${upstream}/v2/current`,
        strip: '/weather',
        headers: { Authorization: 'Bearer of-the-operator', 'X-Forwarded-Host': 'api.example.com', Accept: 'text/own' },
        forward: ['X-Request-Id'],
        freeStatuses: [304, 404],
      },
    },
    'GET /own/:name': {
      price: { free: true },
      upstream: { url: upstream, forward: ['Authorization'], cookies: true },
    },
    'GET /own/:name/paid': { price: 2n, upstream: { url: upstream, forward: ['Authorization'], cookies: true } },
  }))
})
beforeEach(() => {
  shop.seen.length = 0
  shop.answer = (_request, response) => response.end('content')
})

describe('a request that is not paid', () => {
  it('never gets to the upstream, whatever it brings', async () => {
    const { authorization } = await shop.paying('GET', '/api/x')
    const forged = authorization.slice(0, -8) + 'AAAAAAAA'
    for (const method of ['GET', 'HEAD', 'POST', 'PUT']) {
      expect((await ask(shop.url, method, '/api/x')).status).toBe(402)
      expect((await ask(shop.url, method, '/api/x', { authorization: 'Bearer x' })).status).toBe(402)
      expect((await ask(shop.url, method, '/api/x', { authorization: forged })).status).toBeGreaterThanOrEqual(400)
    }
    const dearer = await ask(shop.url, 'POST', '/api/x', { authorization })
    expect(dearer.status).toBe(402)
    expect((await ask(shop.url, 'GET', '/api/x', { upgrade: 'websocket', connection: 'upgrade' })).status).toBe(402)
    expect(shop.seen).toEqual([])
  })

  it('is asked for the price of its method, and refused if there is none', async () => {
    const { status, headers } = await ask(shop.url, 'PATCH', '/api/x')
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, POST, PUT, DELETE, OPTIONS'])
    for (const [method, price] of [
      ['GET', 5n],
      ['POST', 50n],
      ['PUT', 7n],
    ] as const) {
      const before = await shop.charged()
      expect((await shop.buy(method, '/api/x')).status).toBe(200)
      expect((await shop.charged()) - before).toBe(price)
    }
    expect((await ask(shop.url, 'DELETE', '/api/x')).body).toBe('content')
    expect(shop.seen.map(({ method }) => method)).toEqual(['GET', 'POST', 'PUT', 'DELETE'])
  })
})

describe('a paid request', () => {
  it.each([
    ['/api/x', '/base/api/x'],
    ['/api/', '/base/api/'],
    ['/%61pi/x', '/base/%61pi/x'],
    ['/api/a%20b%C3%A9/c.d..e/%7E~?q=%2F&r=a+b&&=', '/base/api/a%20b%C3%A9/c.d..e/%7E~?q=%2F&r=a+b&&='],
    ['/api/x;v=1?to=//evil.example/..%2f..&%zz', '/base/api/x;v=1?to=//evil.example/..%2f..&%zz'],
    ['/api/100%25?', '/base/api/100%25?'],
    ['/api/%2541', '/base/api/%2541'],
    ['/weather?city=Wien', '/v2/current?city=Wien'],
    ['/weather', '/v2/current'],
  ])('for %s goes to %s', async (target, there) => {
    expect((await shop.buy('GET', target)).status).toBe(200)
    expect(shop.seen.map(({ url }) => url)).toEqual([there])
  })

  it.each<[string, Record<string, string>]>([
    ['with its length', { 'content-length': '11' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
    ['with an Idempotency-Key', { 'idempotency-key': 'k1' }],
  ])('brings its body %s', async (_how, headers) => {
    await shop.buy('POST', '/api/x', { headers: { ...headers, 'content-type': 'text/x' }, body: 'hello world' })
    expect(shop.seen).toMatchObject([{ method: 'POST', body: 'hello world', headers: { 'content-type': 'text/x' } }])
  })

  it('is answered with the status and the headers of the upstream', async () => {
    shop.answer = (_request, response) => {
      response.setHeader('Link', ['<a>; rel=a', '<b>; rel=b'])
      response.setHeader('X-Text', Buffer.from('Zürich').toString('latin1'))
      response.writeHead(201, { 'Content-Type': 'text/x', ETag: '"1"' }).end(Buffer.from('made'))
    }
    const { status, headers, body } = await shop.buy('POST', '/api/x')
    expect([status, body]).toEqual([201, 'made'])
    expect(headers).toMatchObject({ 'content-type': 'text/x', etag: '"1"', link: '<a>; rel=a, <b>; rel=b' })
    expect(Buffer.from(String(headers['x-text']), 'latin1').toString()).toBe('Zürich')
    expect(headers['payment-receipt']).toBeDefined()
  })

  it('may ask for nothing but the headers, where that is free', async () => {
    shop.answer = (_request, response) => response.writeHead(200, { 'Content-Length': '7' }).end()
    const { status, headers, body } = await ask(shop.url, 'HEAD', '/own/x')
    expect([status, headers['content-length'], body]).toEqual([200, '7', ''])
    expect(shop.seen).toMatchObject([{ method: 'HEAD' }])
  })

  it('costs nothing where the answer has no content: 304 and what the route names', async () => {
    const before = await shop.charged()
    shop.answer = (request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304, { ETag: '"1"' }).end()
      else if (request.headers.range) response.writeHead(206, { 'Content-Range': 'bytes 0-0/7' }).end('c')
      else response.writeHead(404).end('none')
    }
    const unchanged = await shop.buy('GET', '/api/x', { headers: { 'if-none-match': '"1"' } })
    expect([unchanged.status, unchanged.headers.etag, unchanged.body]).toEqual([304, '"1"', ''])
    expect((await shop.buy('GET', '/weather')).status).toBe(404)
    await until(async () => (await shop.charged()) === before)
    expect((await shop.buy('GET', '/api/x', { headers: { range: 'bytes=0-0' } })).status).toBe(206)
    expect((await shop.buy('GET', '/api/x')).status).toBe(404)
    expect(await shop.charged()).toBe(before + 10n)
  })
})

describe('of the headers of a request', () => {
  it('what is about content passes, and what is not stays here', async () => {
    const passing = {
      accept: 'text/x',
      'accept-encoding': 'gzip',
      'user-agent': 'buyer',
      'if-none-match': '"2"',
      'last-event-id': '7',
      range: 'bytes=0-',
    }
    const dropped = {
      authorization: 'Basic x',
      cookie: 'a=b',
      host: 'evil.example',
      'openai-organization': 'other',
      'stripe-account': 'other',
      forwarded: 'for=1.2.3.4',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'evil.example',
      'x-real-ip': '1.2.3.4',
      'x-secret': '1',
      'x-http-method-override': 'DELETE',
      connection: 'close, X-Secret, If-Match',
      'if-match': '"3"',
      'keep-alive': 'timeout=9',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
      expect: '100-continue',
    }
    await shop.buy('GET', '/api/x', { headers: { ...passing, ...dropped } })
    expect(shop.seen[0]!.headers).toEqual({
      ...passing,
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      connection: 'keep-alive',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    })
  })

  it('what the route sets or names passes; nobody else sees what it sets', async () => {
    const headers = { 'x-request-id': '7', 'x-forwarded-host': 'evil.example', accept: 'text/other' }
    const { headers: answered, body } = await shop.buy('GET', '/weather', { headers })
    expect(shop.seen[0]!.headers).toMatchObject({
      authorization: 'Bearer of-the-operator',
      'x-request-id': '7',
      'x-forwarded-host': 'api.example.com',
      accept: 'text/own',
    })
    expect(JSON.stringify([answered, body])).not.toContain('operator')
  })

  it('Authorization passes where the route says so, and never a payment', async () => {
    await ask(shop.url, 'GET', '/own/x', { authorization: 'Bearer of-the-client' })
    await ask(shop.url, 'GET', '/own/x', await shop.paying('GET', '/own/x/paid'))
    await shop.buy('GET', '/own/x/paid')
    const sent = shop.seen.map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer of-the-client', undefined, undefined])
  })

  it('cookies pass where the route says so, and never a payment', async () => {
    const cookie = 'RDN-Balance-Signature=0x1; a=b; rdn-sender-balance=5; c=d'
    await ask(shop.url, 'GET', '/own/x', { cookie })
    await ask(shop.url, 'GET', '/own/x', { cookie: 'RDN-Open-Block=1' })
    expect(shop.seen.map(({ headers }) => headers.cookie)).toEqual(['a=b; c=d', undefined])
  })

  it('an Idempotency-Key passes under a name that no other channel can have', async () => {
    await shop.buy('POST', '/api/x', { headers: { 'idempotency-key': 'order 1' } })
    const name = createHash('sha256').update(`${shop.buyer.id}:order 1`).digest('hex')
    expect(shop.seen[0]!.headers['idempotency-key']).toBe(name)
    await ask(shop.url, 'DELETE', '/api/x', { 'idempotency-key': 'order 1' })
    expect(shop.seen[1]!.headers['idempotency-key']).toBeUndefined()
  })
})

describe('of the headers of an answer', () => {
  const dropped = {
    'Set-Cookie': ['a=b', 'RDN-Price=1'],
    'Payment-Receipt': 'forged',
    'PAYMENT-REQUIRED': 'forged',
    'X-PAYMENT-RESPONSE': 'forged',
    'RDN-Price': '1',
    'Idempotency-Replayed': 'true',
    'Alt-Svc': 'h3="evil.example:443"',
    'X-Inner': 'secret',
    Connection: 'close, X-Inner',
    'Proxy-Authenticate': 'Basic',
    'WWW-Authenticate': ['Payment id="x"', 'Basic realm="x"', 'Digest x="y", Payment id="z"'],
  }
  const caches = { 'Cache-Control': 'public', Expires: 'never', Pragma: 'x', Age: '1', 'CDN-Cache-Control': 'public' }

  it('those of payments, of hops, of caches and of cookies stay there', async () => {
    shop.answer = (_request, response) => response.writeHead(401, { ...dropped, ...caches, 'X-Outer': '1' }).end('no')
    const { status, headers } = await shop.buy('GET', '/api/x')
    const { date, vary, 'transfer-encoding': _coding, connection: _connection, ...rest } = headers
    expect(rest).toEqual({
      'x-outer': '1',
      'www-authenticate': 'Basic realm="x"',
      'cache-control': 'private, no-store',
    })
    expect([status, vary]).toEqual([401, expect.stringContaining('Authorization')])
    expect(date).toBeDefined()
  })

  it('cookies pass where the route says so, and caches are told what the upstream says where it is free', async () => {
    shop.answer = (_request, response) => response.writeHead(200, { ...dropped, ...caches }).end('yes')
    const { headers } = await ask(shop.url, 'GET', '/own/x')
    expect(headers).toMatchObject({ 'set-cookie': ['a=b'], 'cache-control': 'public', expires: 'never', age: '1' })
  })
})

describe('a redirect of the upstream', () => {
  it.each([
    ['/base/api/y?z#f', '/api/y?z#f'],
    ['y', '/api/y'],
    ['{upstream}/base/api/y', '/api/y'],
    ['{upstream}/base', '/'],
    ['{upstream}/base/', '/'],
    ['{upstream}/based', '{upstream}/based'],
    ['{upstream}/other', '{upstream}/other'],
    ['{upstream}/else/y', '{upstream}/else/y'],
    ['{upstream}/base//evil.example', '{upstream}/base//evil.example'],
    ['{upstream}/base/%5Cevil.example', '{upstream}/base/%5Cevil.example'],
    ['https://evil.example/base/api/y', 'https://evil.example/base/api/y'],
    ['//evil.example/base/api/y', '//evil.example/base/api/y'],
    ['http://[', 'http://['],
  ])('to %s is not followed, and leads the client to %s', async (said, location) => {
    shop.answer = ({ headers }, response) => {
      response.writeHead(302, { Location: said.replace('{upstream}', `http://${headers.host!}`) }).end()
    }
    const { status, headers } = await shop.buy('GET', '/api/x')
    const { host } = shop.seen[0]!.headers
    expect([status, headers.location]).toEqual([302, location.replace('{upstream}', `http://${host!}`)])
    expect(shop.seen).toHaveLength(1)
  })

  it('is found again where the route leaves out the beginning of its path', async () => {
    shop.answer = (_request, response) => response.writeHead(301, { Location: '/v2/current/today?x' }).end()
    expect((await shop.buy('GET', '/weather')).headers.location).toBe('/weather/today?x')
  })
})

describe('a path that can be read in two ways', () => {
  it.each([
    '/api/..',
    '/api/../secret',
    '/api/x/../../secret',
    '/api/./x',
    '/api/%2e%2e/secret',
    '/api/.%2E/secret',
    '/api/..%2fsecret',
    '/api/a%2fb',
    '/api/%2Fevil.example',
    '/api/%5cevil.example',
    '/api/a\\b',
    '/api/..\\secret',
    '/api/%252e%252e/secret',
    '/api/%25252e%25252e/secret',
    '/api/a%252fb',
    '/api/..;/secret',
    '/api/..;x=1/secret',
    '/api/%2e%2e%3b/secret',
    '/api/;/evil.example',
    '/api//evil.example',
    '/api/x//',
    '/api/a%00b',
    '/api/a%0d%0aX-Secret:1',
    `/api/%${'25'.repeat(6)}2e%${'25'.repeat(6)}2e`,
    '/api/x#y',
    'http://evil.example/api/x',
    'https://evil.example/api/x',
    'http://evil.example/api/../secret',
  ])('is not there, for nothing: %s', async (target) => {
    const before = await shop.charged()
    const { status, headers } = await shop.buy('GET', target, { offered: '/api/x' })
    expect([status, headers['www-authenticate']]).toEqual([404, undefined])
    expect((await ask(shop.url, 'DELETE', target)).status).toBe(404)
    expect(shop.seen).toEqual([])
    expect(await shop.charged()).toBe(before)
  })

  it('is not there for another spelling of what the route leaves out', async () => {
    expect((await shop.buy('GET', '/%77eather', { offered: '/weather' })).status).toBe(404)
    expect(shop.seen).toEqual([])
  })
})
