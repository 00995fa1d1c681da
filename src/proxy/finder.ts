/** Which route a request is for: one router, on the bytes of the URL as they came. */
import Router from 'find-my-way'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { fieldOf, type CheckedRoute, type Method } from './routes.ts'

export type Found = { readonly route: CheckedRoute; readonly params: Readonly<Record<string, string>> }
/** `malformed`: the path cannot be decoded. */
export type Finder = (method: Method, target: string) => Found | 'malformed' | undefined

/** @throws {ConfigError} for two routes that want the same requests, or a path that is no pattern */
export function createFinder(routes: readonly CheckedRoute[]): Finder {
  const router = Router({ maxParamLength: 8_192, onBadUrl: () => undefined })
  const byMark = new Map<unknown, CheckedRoute>()
  for (const route of routes) {
    const mark = () => undefined
    byMark.set(mark, route)
    try {
      router.on([...route.methods], route.path, mark)
    } catch (error) {
      throw new ConfigError(fieldOf(route.pattern), `cannot be used: ${messageOf(error)}`)
    }
  }
  return (method, target) => {
    const found = router.find(method, target)
    if (!found) return undefined
    const route = byMark.get(found.handler)
    if (!route) return 'malformed'
    const given = Object.entries(found.params).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return { route, params: Object.fromEntries(given) }
  }
}
