/**
 * What is served beside the routes, each under a path of its own.
 *
 * A mount is asked before any route. A route that names a place of a mount would
 * look as if it were sold there and never be; one that could take requests of a
 * mount away is a mistake as well. Both are refused when the server is made.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import Router from 'find-my-way'
import { ConfigError } from '../base/faults.ts'
import { fieldOf, type CheckedRoute } from './routes.ts'

export type Mount = {
  /** How the paths begin that it serves: whole segments, for example `/api/1`, without a slash at the end. */
  readonly path: string
  /** Answers a request at or below `path`. Resolves to false if it did not; then the routes are asked. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** @throws {ConfigError} naming the mount, or the route, that is in the way of another */
export function checkMounts(mounts: readonly Mount[], routes: readonly CheckedRoute[]): void {
  for (const [index, { path }] of mounts.entries()) {
    const field = `mounts[${index}].path`
    if (!/^(\/[\w.~-]+)+$/.test(path)) {
      throw new ConfigError(field, 'is not a path. Write whole segments, without a slash at the end: /api/1')
    }
    const other = mounts
      .slice(0, index)
      .find((earlier) => isAtOrBelow(path, earlier.path) || isAtOrBelow(earlier.path, path))
    if (other) throw new ConfigError(field, `is in the way of the one at ${other.path}. Choose paths beside each other`)
    const route = routes.find((one) => reaches(one.path, path))
    if (!route) continue
    throw new ConfigError(
      fieldOf(route.pattern),
      `wants requests of ${path}, which is served already. Choose a path beside it; '/*' alone may stand for all that is left`,
    )
  }
}

/** The one that serves this target, by the bytes of its path. */
export function mountAt(mounts: readonly Mount[], target: string): Mount | undefined {
  const end = target.indexOf('?')
  const path = end < 0 ? target : target.slice(0, end)
  return mounts.find((mount) => isAtOrBelow(path, mount.path))
}

function isAtOrBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`)
}

/** Whether a pattern fits a path at or below `mount`. What is for everything is for what is left, and in nobody's way. */
function reaches(pattern: string, mount: string): boolean {
  if (pattern === '/*') return false
  const wanted = pattern.replace(/\?$/, '').slice(1).split('/')
  for (const [index, name] of mount.slice(1).split('/').entries()) {
    const segment = wanted[index]
    if (segment === undefined || !fits(segment, name)) return false
    if (segment.endsWith('*')) return true
  }
  return true
}

function fits(segment: string, name: string): boolean {
  if (segment.endsWith('*')) return name.startsWith(segment.slice(0, -1))
  if (!segment.includes(':')) return segment === name
  const router = Router()
  router.on('GET', `/${segment}`, () => undefined)
  return router.find('GET', `/${name}`) !== null
}
