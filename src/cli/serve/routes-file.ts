/**
 * The file that says what is sold: JSON with routes, their prices and their content.
 *
 * Amounts are decimal digits in strings, as everywhere on the command line; a
 * price is never guessed, and what is not known here is a mistake.
 */
import { resolve } from 'node:path'
import * as read from '../../base/read.ts'
import type { PriceByMethod, Route, Routes } from '../../proxy/routes.ts'
import type { Free } from '../../receiver/price.ts'
import { isObject, isSwitch, isText, objectIn, optional, parse, requireKnown, type Note } from './json-file.ts'
import { readUpstream } from './upstream-file.ts'

/** @param folder that relative paths start from */
export function readRoutes(text: string, folder: string, note: Note): Routes {
  const file = parse(text, note)
  if (!file) return {}
  requireKnown(file, ['routes'], 'the file', note)
  const routes = objectIn(read.member(file, 'routes'), 'routes', note)
  if (routes && Object.keys(routes).length === 0) {
    note('routes', 'has no route. Write one: "GET /": {"price": "5", "text": "…"}')
  }
  const entries = Object.entries(routes ?? {}).flatMap(([pattern, given]) => {
    const field = `routes[${JSON.stringify(pattern)}]`
    const described = objectIn(given, field, note)
    const route = described && readRoute(described, { field, folder, note })
    return route ? [[pattern, route] as const] : []
  })
  return Object.fromEntries(entries)
}

type Place = { readonly field: string; readonly folder: string; readonly note: Note }

const contents = ['text', 'json', 'file', 'files', 'upstream'] as const

function readRoute(route: read.JsonObject, place: Place): Route | undefined {
  const { field, note } = place
  requireKnown(route, ['price', 'free', 'repeatable', ...contents], field, note)
  const price = priceIn(route, field, note)
  const content = contentIn(route, place)
  const repeatable = optional(route, 'repeatable', { is: isSwitch, what: 'true or false', field, note })
  if (price === undefined || !content) return undefined
  return { ...content, price, ...(repeatable !== undefined && { repeatable }) }
}

type OwnPrice = bigint | Free

function priceIn(route: read.JsonObject, field: string, note: Note): OwnPrice | PriceByMethod | undefined {
  const [price, free] = [read.member(route, 'price'), read.member(route, 'free')]
  if (free === undefined)
    return isObject(price) ? byMethod(price, `${field}.price`, note) : amount(price, `${field}.price`, note)
  if (free === true && price === undefined) return { free: true }
  note(
    `${field}.free`,
    price === undefined ? 'is not true. Give a price instead' : 'has a price beside it. Leave one out',
  )
  return undefined
}

const WRITE = 'Write base units of the token as a string: "5"'

function amount(given: unknown, field: string, note: Note): bigint | undefined {
  if (isText(given) && /^[1-9][0-9]{0,37}$/.test(given)) return BigInt(given)
  const problem = given === undefined ? 'is missing' : `${JSON.stringify(given)} is not a price`
  note(field, `${problem}. ${WRITE}, or "free": true in its place`)
  return undefined
}

function byMethod(given: read.JsonObject, field: string, note: Note): PriceByMethod {
  const entries = Object.entries(given).flatMap(([method, one]): [string, OwnPrice][] => {
    if (!/^[A-Z]+$/.test(method)) {
      note(`${field}.${method}`, 'is not a method. Write one price, or {"GET": "5", "POST": "50"}')
      return []
    }
    if (isObject(one) && read.member(one, 'free') === true && Object.keys(one).length === 1)
      return [[method, { free: true }]]
    const price = amount(one, `${field}.${method}`, note)
    return price === undefined ? [] : [[method, price]]
  })
  if (Object.keys(given).length === 0) note(field, 'names no method. Write one price, or {"GET": "5", "POST": "50"}')
  return Object.fromEntries(entries)
}

type Content = Route extends infer one ? (one extends Route ? Omit<one, 'price' | 'repeatable'> : never) : never

function contentIn(route: read.JsonObject, { field, folder, note }: Place): Content | undefined {
  const [name, another] = contents.filter((one) => Object.hasOwn(route, one))
  if (name === undefined || another !== undefined) {
    const has = name === undefined ? 'none' : `${name} and ${another}`
    note(field, `needs exactly one of ${contents.join(', ')}; it has ${has}`)
    return undefined
  }
  const given = read.member(route, name)
  if (name === 'json') return { json: () => given }
  if (name === 'upstream') {
    const upstream = readUpstream(given, `${field}.upstream`, note)
    return upstream === undefined ? undefined : { upstream }
  }
  if (!isText(given)) {
    note(`${field}.${name}`, 'is not a string')
    return undefined
  }
  if (name === 'text') return { text: given }
  return name === 'file' ? { file: resolve(folder, given) } : { files: resolve(folder, given) }
}
