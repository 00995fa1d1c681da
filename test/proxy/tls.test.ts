/** Selling over TLS: real certificates, real connections, and every way to get the files wrong. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type PaidServer, type TlsOptions } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newBuyer, newReceiver, startWorld } from '../support/market.ts'
import { authorization, challengeOf } from '../support/wire.ts'
import { encrypted, expired, newCertificate, type Certificate } from './certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-tls-'))
let world: LocalChain
let receiver: Receiver
let ours: Certificate
let other: Certificate
beforeAll(async () => {
  ours = newCertificate(folder, 'ours')
  other = newCertificate(folder, 'other')
  world = await startWorld()
  receiver = await newReceiver(world)
})
afterAll(async () => {
  await receiver.stop()
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

function proxyWith(tls: TlsOptions, upstream = 'http://127.0.0.1:1'): PaidServer {
  const routes = { 'GET /sold': { price: 5n, text: 'sold' }, 'GET /up': { price: { free: true }, upstream } } as const
  return createProxy({ receiver, routes, tls })
}

type Got = { readonly status: number; readonly offer: string; readonly body: string }

function get(url: string, options: RequestOptions): Promise<Got> {
  return new Promise((resolve, reject) => {
    request(url, { ...options, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const offer = response.headers['www-authenticate'] ?? ''
        resolve({ status: response.statusCode!, offer, body: Buffer.concat(chunks).toString() })
      })
    })
      .on('error', reject)
      .end()
  })
}

function shake(url: string, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ...options }, () => resolve(socket))
    socket.on('error', reject)
  })
}

describe('a proxy with a certificate', () => {
  it.each(['files', 'texts'])('sells over TLS: from %s', async (from) => {
    const { cert } = ours.texts
    const proxy = proxyWith(from === 'files' ? ours.files : ours.texts)
    const url = await proxy.listen(0)
    expect([url, proxy.url]).toEqual([expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/), url])
    const buyer = await newBuyer(world, receiver)
    const { status, offer } = await get(`${url}/sold`, { ca: cert })
    expect(status).toBe(402)
    const challenge = challengeOf(new Response(null, { headers: { 'www-authenticate': offer } }))
    const headers = { authorization: authorization(challenge, await buyer.voucher(5n)) }
    expect(await get(`${url}/sold`, { ca: cert, headers })).toMatchObject({ status: 200, body: 'sold' })
    await expect(get(`${url}/sold`, {})).rejects.toThrow(/self-signed/)
    await expect(get(url.replace('https', 'http'), { protocol: 'https:' })).rejects.toThrow()
    await proxy.close()
  })

  it('speaks HTTP/1.1, even to one who would rather have HTTP/2', async () => {
    const proxy = proxyWith(ours.files)
    const url = await proxy.listen(0)
    const socket = await shake(url, { ca: ours.texts.cert, ALPNProtocols: ['h2', 'http/1.1'] })
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
    await proxy.close()
  })

  it('tells its upstream that the client came over TLS', async () => {
    const upstream = await listen((request, response) => response.end(request.headers['x-forwarded-proto']))
    const proxy = proxyWith(ours.texts, upstream.url)
    expect((await get(`${await proxy.listen(0)}/up`, { ca: ours.texts.cert })).body).toBe('https')
    await proxy.close()
    await upstream.close()
  })

  it('takes a renewed one while it runs, and keeps the one it has if the new one is no good', async () => {
    const files = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') }
    const put = (from: Certificate) => {
      copyFileSync(from.files.certFile, files.certFile)
      copyFileSync(from.files.keyFile, files.keyFile)
    }
    put(ours)
    const proxy = proxyWith(files)
    const url = await proxy.listen(0)
    const before = await shake(url, { ca: ours.texts.cert })

    copyFileSync(other.files.certFile, files.certFile)
    expect(() => proxy.reloadTls()).toThrow(/tls\.keyFile.*live\.key is not the key of/)
    expect((await get(`${url}/sold`, { ca: ours.texts.cert })).status).toBe(402)

    put(other)
    proxy.reloadTls()
    expect((await get(`${url}/sold`, { ca: other.texts.cert })).status).toBe(402)
    await expect(get(`${url}/sold`, { ca: ours.texts.cert })).rejects.toThrow()
    expect(before.destroyed).toBe(false)
    before.destroy()

    proxy.reloadTls(ours.texts)
    proxy.reloadTls()
    expect((await get(`${url}/sold`, { ca: ours.texts.cert })).status).toBe(402)
    await proxy.close()
  })

  it('cannot get one while it runs without', () => {
    const proxy = createProxy({ receiver, routes: {} })
    expect(() => proxy.reloadTls(ours.files)).toThrow(
      new ConfigError('tls', 'was not given when the server was made, so there is nothing to change'),
    )
  })
})

describe('a proxy does not start with', () => {
  function refusal(tls: TlsOptions): ConfigError {
    try {
      proxyWith(tls)
    } catch (error) {
      if (error instanceof ConfigError) return error
      throw error
    }
    throw new Error('the certificate was taken')
  }

  function file(name: string, text: string): string {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }

  it.each<[string, () => TlsOptions, string, string]>([
    ['no certificate', () => ({ keyFile: ours.files.keyFile }), 'tls.cert', 'Give tls.cert or tls.certFile'],
    ['no key', () => ({ certFile: ours.files.certFile }), 'tls.key', 'Give tls.key or tls.keyFile'],
    ['two keys', () => ({ ...ours.files, key: ours.texts.key }), 'tls.key', 'twice'],
    [
      'a missing file',
      () => ({ certFile: join(folder, 'none.crt'), keyFile: ours.files.keyFile }),
      'tls.certFile',
      'none.crt cannot be read (no such file or directory)',
    ],
    [
      'a missing key file',
      () => ({ certFile: ours.files.certFile, keyFile: join(folder, 'none.key') }),
      'tls.keyFile',
      'none.key cannot be read (no such file or directory)',
    ],
    ['a folder', () => ({ certFile: folder, keyFile: ours.files.keyFile }), 'tls.certFile', 'cannot be read'],
    [
      'a certificate that is none',
      () => ({ certFile: file('x.crt', 'x'), keyFile: ours.files.keyFile }),
      'tls.certFile',
      'BEGIN CERTIFICATE',
    ],
    [
      'a key for a certificate',
      () => ({ certFile: ours.files.keyFile, keyFile: ours.files.keyFile }),
      'tls.certFile',
      'BEGIN CERTIFICATE',
    ],
    [
      'a key that is none',
      () => ({ certFile: ours.files.certFile, keyFile: file('x.key', 'x') }),
      'tls.keyFile',
      'BEGIN PRIVATE KEY',
    ],
    [
      'an encrypted key',
      () => ({ certFile: ours.files.certFile, keyFile: encrypted(ours) }),
      'tls.keyFile',
      'openssl pkey',
    ],
    [
      'the key of another',
      () => ({ certFile: ours.files.certFile, keyFile: other.files.keyFile }),
      'tls.keyFile',
      'is not the key of',
    ],
    [
      'the key of another, as text',
      () => ({ cert: ours.texts.cert, key: other.texts.key }),
      'tls.key',
      'is not the key of',
    ],
    [
      'a certificate whose time is over',
      () => ({ certFile: expired(ours), keyFile: ours.files.keyFile }),
      'tls.certFile',
      'expired on',
    ],
  ])('%s', (_what, tls, field, said) => {
    const { field: named, message } = refusal(tls())
    expect(named).toBe(field)
    expect(message).toContain(said)
    expect(message).not.toContain(ours.texts.key.split('\n')[1])
  })

  it.each([0o640, 0o604, 0o644, 0o666])('a key that others can use: mode %o', (mode) => {
    const keyFile = join(folder, 'open.key')
    copyFileSync(ours.files.keyFile, keyFile)
    chmodSync(keyFile, mode)
    const { field, message } = refusal({ certFile: ours.files.certFile, keyFile })
    expect([field, message]).toEqual(['tls.keyFile', expect.stringContaining(`chmod 600 ${keyFile}`)])
  })
})
