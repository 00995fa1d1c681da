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
import type { Paid } from '../receiver/sale.ts'
import { serveFile, serveFiles } from './static.ts'
import type { Find, Visit } from './visit.ts'
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

export type Route = Content & {
  /** Base units per request, computed or fixed, or `{ free: true }`. */
  readonly price: Price<Visit> | Free
  /** The request may run again after a crash, although its method is not safe. */
  readonly repeatable?: boolean
}

/** By pattern, for example `'GET /echofix/:text'` or `'GET|POST /search'`. */
export type Routes = Readonly<Record<string, Route>> | readonly (readonly [pattern: string, route: Route])[]

/** A route that was checked. */
export type CheckedRoute = Pick<Route, 'price' | 'repeatable'> & {
  readonly pattern: string
  readonly methods: readonly Method[]
  readonly path: string
  readonly find: Find
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** @throws {ConfigError} naming the route that is wrong */
export function checkRoutes(routes: Routes): CheckedRoute[] {
  return entriesOf(routes).map(([pattern, route]) => check(pattern, route))
}

function entriesOf(routes: Routes): readonly (readonly [string, Route])[] {
  return isList(routes) ? routes : Object.entries(routes)
}

function isList(routes: Routes): routes is readonly (readonly [string, Route])[] {
  return Array.isArray(routes)
}

function check(pattern: string, route: Route): CheckedRoute {
  const field = fieldOf(pattern)
  const place = placeOf(pattern, field)
  checkPrice(route.price, `${field}.price`)
  const find = contentOf(route, place, field)
  const { price, repeatable } = route
  return { pattern, ...place, price, find, ...(repeatable !== undefined && { repeatable }) }
}

export function fieldOf(pattern: string): string {
  return `routes[${JSON.stringify(pattern)}]`
}

function placeOf(pattern: string, field: string): Pick<CheckedRoute, 'methods' | 'path'> {
  const [, names, path] = /^([A-Z|]+) (\/[^\s?#]*\??)$/.exec(pattern) ?? []
  if (names === undefined || path === undefined) {
    throw new ConfigError(field, "is not a pattern. Write methods and a path: 'GET /weather/:city', 'GET|POST /search'")
  }
  return { methods: names.split('|').map((name) => methodOf(name, field)), path }
}

function methodOf(name: string, field: string): Method {
  const method = methods.find((known) => known === name)
  if (!method) throw new ConfigError(field, `${name} cannot be sold. Use ${methods.join(', ')}; HEAD comes with GET`)
  return method
}

function contentOf(route: Route, { methods, path }: Pick<CheckedRoute, 'methods' | 'path'>, field: string) {
  const given = ['run', 'text', 'json', 'file', 'files'].filter((name) => Object.hasOwn(route, name))
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ')
    throw new ConfigError(field, `needs exactly one of run, text, json, file and files; it has ${has}`)
  }
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
