/**
 * What a proxy sells: patterns, prices, and where the content comes from.
 *
 * Everything that could give paid content away by mistake is refused here,
 * before the first request: a price that is missing or zero, two sources of
 * content, two routes for one request, a folder that is not there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigError } from '../base/faults.ts'
import { checkPrice, type Free, type Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Paid } from '../receiver/sale.ts'
import { serveFile, serveFiles } from './static.ts'
import type { UpstreamOptions } from './upstream-options.ts'
import { serveUpstream } from './upstream.ts'
import type { Find, Source, Visit } from './visit.ts'
import { sendJson, sendText } from './write.ts'

export type Run = (request: IncomingMessage, response: ServerResponse, visit: Visit & { paid?: Paid }) => unknown

/** Where the content comes from: exactly one of these. */
type Content =
  | { readonly run: Run }
  | { readonly text: string | ((visit: Visit) => string | Promise<string>) }
  | { readonly json: object | string | number | boolean | null | ((visit: Visit) => unknown) }
  /** One file. */
  | { readonly file: string }
  /** A folder, for a pattern that ends in `/*`. Names that begin with a dot, and links that lead out, are not there. */
  | { readonly files: string }
  /** Another server: the URL that the path of a request is appended to, alone or with options. */
  | { readonly upstream: string | UpstreamOptions }

export type Route = Content & {
  /** Base units per request, computed or fixed, or `{ free: true }`; or one of these for each method. */
  readonly price: Price<Visit> | Free | PriceByMethod
  /** The request may run again after a crash, although its method is not safe. */
  readonly repeatable?: boolean
}

/** The methods that are named are those of the route; its pattern is a path alone. */
export type PriceByMethod = { readonly [method in Method]?: Price<Visit> | Free }

/** By pattern, for example `'GET /echofix/:text'`, `'GET|POST /search'`, or `'/search'` with prices by method. */
export type Routes = Readonly<Record<string, Route>> | readonly (readonly [pattern: string, route: Route])[]

/** A route that was checked, at one price. */
export type CheckedRoute = Pick<Route, 'repeatable'> & {
  readonly pattern: string
  readonly methods: readonly Method[]
  readonly path: string
  readonly price: Price<Visit> | Free
  readonly source: Source
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** @throws {ConfigError} naming the route that is wrong */
export function checkRoutes(routes: Routes, receiver: Receiver): CheckedRoute[] {
  return entriesOf(routes).flatMap(([pattern, route]) => check(pattern, route, receiver))
}

function entriesOf(routes: Routes): readonly (readonly [string, Route])[] {
  return isList(routes) ? routes : Object.entries(routes)
}

function isList(routes: Routes): routes is readonly (readonly [string, Route])[] {
  return Array.isArray(routes)
}

/** One route for each price. */
function check(pattern: string, route: Route, receiver: Receiver): CheckedRoute[] {
  const field = fieldOf(pattern)
  const { names, path } = partsOf(pattern, field)
  const priced = pricesOf(route.price, names, field)
  const methods = priced.flatMap((one) => one.methods)
  const source = sourceOf(route, { methods, path }, field, receiver)
  const { repeatable } = route
  return priced.map((one) => ({ pattern, path, ...one, source, ...(repeatable !== undefined && { repeatable }) }))
}

export function fieldOf(pattern: string): string {
  return `routes[${JSON.stringify(pattern)}]`
}

function partsOf(pattern: string, field: string): { names: string[]; path: string } {
  const [, names, path] = /^(?:([A-Z|]+) )?(\/[^\s?#]*\??)$/.exec(pattern) ?? []
  if (path === undefined) throw new ConfigError(field, PATTERN)
  return { names: names?.split('|') ?? [], path }
}

const PATTERN = "is not a pattern. Write methods and a path: 'GET /weather/:city', 'GET|POST /search'"

type Priced = Pick<CheckedRoute, 'methods' | 'price'>

function pricesOf(price: Route['price'], names: readonly string[], field: string): Priced[] {
  if (!isByMethod(price)) {
    if (names.length === 0) throw new ConfigError(field, PATTERN)
    checkPrice(price, `${field}.price`)
    return [{ methods: names.map((name) => methodOf(name, field)), price }]
  }
  if (names.length > 0) throw new ConfigError(field, 'has prices by method. Leave the methods out of its pattern')
  return Object.entries(price).map(([name, one]) => {
    const method = methodOf(name, `${field}.price`)
    checkPrice(one, `${field}.price.${method}`)
    return { methods: [method], price: one }
  })
}

function isByMethod(price: Route['price']): price is PriceByMethod {
  const given: unknown = price
  return typeof given === 'object' && given !== null && Object.keys(given).some((name) => /^[A-Z]+$/.test(name))
}

function methodOf(name: string, field: string): Method {
  const method = methods.find((known) => known === name)
  if (!method) throw new ConfigError(field, `${name} cannot be sold. Use ${methods.join(', ')}; HEAD comes with GET`)
  return method
}

type Place = Pick<CheckedRoute, 'methods' | 'path'>

function sourceOf(route: Route, place: Place, field: string, receiver: Receiver): Source {
  const given = ['run', 'text', 'json', 'file', 'files', 'upstream'].filter((name) => Object.hasOwn(route, name))
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ')
    throw new ConfigError(field, `needs exactly one of run, text, json, file, files and upstream; it has ${has}`)
  }
  if ('upstream' in route) return serveUpstream(route.upstream, place.path, `${field}.upstream`, receiver)
  return { find: findOf(route, place, field), close: () => Promise.resolve() }
}

function findOf(route: Exclude<Route, { upstream: unknown }>, { methods, path }: Place, field: string): Find {
  if ('run' in route) return runs(route.run, field)
  if ('text' in route) return texts(route.text)
  if ('json' in route) return jsons(route.json)
  if (methods.some((method) => method !== 'GET')) throw new ConfigError(field, 'files are sold by GET only')
  if ('file' in route) return serveFile(route.file, `${field}.file`)
  if (!path.endsWith('/*')) throw new ConfigError(field, "a folder needs a path that ends in '/*'")
  return serveFiles(route.files, `${field}.files`)
}

function runs(run: Run, field: string): Find {
  if (typeof run !== 'function') throw new ConfigError(`${field}.run`, 'is not a function')
  return (visit) => (request, response, paid) => run(request, response, { ...visit, ...(paid && { paid }) })
}

function texts(text: string | ((visit: Visit) => string | Promise<string>)): Find {
  return (visit) => async (_request, response) => {
    sendText(response, typeof text === 'function' ? await text(visit) : text)
  }
}

function jsons(json: unknown): Find {
  return (visit) => async (_request, response) => {
    sendJson(response, typeof json === 'function' ? await (json as (visit: Visit) => unknown)(visit) : json)
  }
}
