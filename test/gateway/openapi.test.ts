/** The description of the gateway is valid, whole, and true of what is answered. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, it } from 'vitest'
import { routesAt } from '../../src/gateway/routes.ts'
import { newBuyer, railOf, raidenRail, startWorld } from '../support/market.ts'
import { ask, cheapHash, close, openStand, prove, proven, read } from './stand.ts'

type Operation = {
  operationId: string
  security?: object[]
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: { $ref: string } }> }>
}
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } }

const world = await startWorld()
const options = { users: [{ name: 'ops', password: cheapHash('battery') }], requestsPerSecond: 1_000 }
const stand = await openStand(world, { options, config: { rails: [raidenRail(world), railOf(world)] } })
const [, body] = await ask(`${stand.api}/openapi.json`)
const { paths, components } = body as Document
afterAll(async () => {
  await stand.close()
  await world.anvil.stop()
})

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options']
const headers = { Authorization: `Basic ${Buffer.from('ops:battery').toString('base64')}` }

describe('the document', () => {
  it('is OpenAPI 3.1', async () => {
    const validator = new Validator()
    expect(await validator.validate(body as Record<string, unknown>)).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
    const broken = new Validator()
    expect(await broken.validate({ ...(body as object), paths: { a: { get: {} } } })).toMatchObject({ valid: false })
  })

  it('has every route that is served, and no other', () => {
    const served = routesAt('/api/1').map(({ method, path }) => `${method.toLowerCase()} ${path}`)
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    )
    expect(described.sort()).toEqual(served.sort())
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(Object.keys(paths))('says which methods %s has', async (path) => {
    const url = `${stand.url}${path.replace('{sender}', `0x${'12'.repeat(20)}`).replace('{block}', '1')}`
    const described = Object.keys(paths[path]!)
    const expected = [...described, ...(described.includes('get') ? ['head'] : []), 'options'].sort()
    const allowed = (response: Response) => (response.headers.get('allow') ?? '').toLowerCase().split(', ').sort()
    for (const method of METHODS) {
      const response = await fetch(url, { method: method.toUpperCase(), redirect: 'manual' })
      await response.arrayBuffer()
      expect([method, response.status === 405]).toEqual([method, !expected.includes(method)])
      if (response.status === 405 || method === 'options') expect(allowed(response)).toEqual(expected)
    }
  })

  it('says for what one has to be an administrator', async () => {
    for (const [path, item] of Object.entries(paths)) {
      for (const [method, { security, responses }] of Object.entries(item)) {
        const url = `${stand.url}${path.replace('{sender}', `0x${'12'.repeat(20)}`).replace('{block}', '1')}`
        const { status } = await fetch(url, { method: method.toUpperCase(), redirect: 'manual' })
        const needed = security?.length === 1
        expect([method, path, status === 401]).toEqual([method, path, needed])
        expect(Object.keys(responses)).toContain(`${status}`)
      }
    }
  })

  it('names the schemas that it has', () => {
    const named = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name)
    expect([...new Set(named)].sort()).toEqual(Object.keys(components.schemas).sort())
  })
})

describe('an answer is what the document says', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema({ $id: 'document', components })

  /** Nothing may be there that is not described, at any level of lists. */
  function expectFit(name: string, value: unknown): void {
    const fits = ajv.compile({ $ref: `document#/components/schemas/${name}` })
    expect(fits(value) ? [] : fits.errors).toEqual([])
    const schema = components.schemas[name] as { properties?: object; items?: { properties?: object; $ref?: string } }
    const known = Object.keys((Array.isArray(value) ? schema.items?.properties : schema.properties) ?? {})
    for (const one of [value].flat()) {
      if (known.length > 0) expect(Object.keys(one as object).filter((member) => !known.includes(member))).toEqual([])
    }
  }

  const of = (method: string, path: string) => paths[path]![method]!
  const schemaOf = ({ responses }: Operation) =>
    responses[200]!.content!['application/json']!.schema.$ref.replace('#/components/schemas/', '')

  it('for whatever is read, by anybody and by those who may know', async () => {
    const customer = await stand.customer(1)
    await newBuyer(world, stand.receiver)
    const proof = await prove(world, customer.key, read(customer))
    const cases: [path: string, at: string][] = [
      ['/api/1/stats', '/stats'],
      ['/api/1/channels/', '/channels/?status=all'],
      ['/api/1/channels/{sender}', `/channels/${customer.address}`],
      ['/api/1/channels/{sender}/{block}', customer.path],
      ['/api/1/openapi.json', '/openapi.json'],
    ]
    for (const [path, at] of cases) {
      for (const init of [{}, { headers }]) {
        const [status, value] = await ask(`${stand.api}${at}`, init)
        expect(status).toBe(200)
        expectFit(schemaOf(of('get', path)), value)
      }
    }
    expectFit('Channel', (await ask(`${stand.api}${customer.path}`, proven(proof)))[1])
    for (const path of ['/login', '/admin', '/admin/channels'])
      expectFit(schemaOf(of('get', `/api/1${path}`)), (await ask(`${stand.api}${path}`, { headers }))[1])
    expectFit('Word', (await ask(`${stand.url}/cm`))[1])
  })

  it('for whatever is ordered', async () => {
    const [one, two] = [await stand.customer(1), await stand.customer(1)]
    const settled = await ask(`${stand.api}/admin/settle`, { method: 'POST', headers })
    expectFit(schemaOf(of('post', '/api/1/admin/settle')), settled[1])
    const proof = await prove(world, one.key, close(one, 7n))
    const agreed = await ask(`${stand.api}${one.path}`, proven(proof, { method: 'DELETE', body: 'balance=7' }))
    expectFit(schemaOf(of('delete', '/api/1/channels/{sender}/{block}')), agreed[1])
    const closed = await ask(`${stand.api}/admin${two.path}`, { method: 'DELETE', headers })
    expectFit(schemaOf(of('delete', '/api/1/admin/channels/{sender}/{block}')), closed[1])
    const all = await ask(`${stand.api}/admin/channels`, { method: 'POST', headers })
    expect(all[1]).not.toEqual([])
    expectFit(schemaOf(of('post', '/api/1/admin/channels')), all[1])
  })

  it('for refusals, which may say more', async () => {
    for (const path of ['/nothing', '/channels/0x12', '/channels/?status=x', '/admin']) {
      const { type, title, status, detail } = (await ask(`${stand.api}${path}`))[1] as Record<string, unknown>
      expectFit('Problem', { type, title, status, detail })
    }
  })
})
