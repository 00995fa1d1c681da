/**
 * Offers of earlier answers: with one a purchase is a single round trip.
 *
 * An offer is good for the request that it was made for. One that says it is
 * good for a whole route (`GET /weather/:city`, or a path where the request had
 * a query) is used for every address of that route. An offer that does not say
 * so is never taken to another address, whose price may be another one.
 */
import type { Offer } from '../channel/messages.ts'
import type { Chosen } from './choose.ts'
import type { Subject } from './hooks.ts'

export type OfferBook = {
  /** What this request can be paid with at once; undefined: its price has to be asked. */
  find(request: Subject): Chosen | undefined
  keep(request: Subject, chosen: Chosen): void
  /** The offer was not taken for this request. */
  drop(request: Subject): void
}

/** Addresses, and routes, that are remembered; the oldest is forgotten first. */
const MOST = 1_000

type Kept = { readonly chosen: Chosen; readonly fits: (request: Subject) => boolean }

export function createOfferBook(): OfferBook {
  const addresses = new Map<string, Chosen>()
  const routes = new Map<string, Kept>()
  const ofRoute = (request: Subject) => {
    const exact = routes.get(`${request.url.origin} ${request.method} ${request.url.pathname}`)
    if (exact) return exact.chosen
    for (const { chosen, fits } of routes.values()) if (fits(request)) return chosen
    return undefined
  }
  return {
    find: (request) => {
      const own = addresses.get(addressOf(request))
      if (own && !isStale(own.offer)) return own
      const shared = ofRoute(request)
      return shared && !isStale(shared.offer) ? shared : undefined
    },
    keep: (request, { offer, protocol }) => {
      const route = routeOf(request, offer)
      if (route) remember(routes, route.name, { chosen: { offer, protocol, byRoute: true }, fits: route.fits })
      else remember(addresses, addressOf(request), { offer, protocol })
    },
    drop: (request) => void addresses.delete(addressOf(request)),
  }
}

/** Too old to be sent: it would expire on the way. */
function isStale({ expiresAtMs }: Offer): boolean {
  return expiresAtMs !== undefined && expiresAtMs - 5_000 < Date.now()
}

function addressOf({ url, method }: Subject): string {
  return `${method} ${url.href}`
}

function remember<value>(known: Map<string, value>, name: string, value: value): void {
  known.delete(name)
  const [oldest] = known.keys()
  if (known.size >= MOST && oldest !== undefined) known.delete(oldest)
  known.set(name, value)
}

/** The route that an offer names, if it is one, and this request is on it. */
function routeOf(request: Subject, { resource }: Offer) {
  const { origin, pathname, search } = request.url
  if (resource === undefined || resource === `${request.method} ${pathname}${search}`) return undefined
  const [method, path, ...rest] = resource.split(' ')
  if (method !== request.method || path === undefined || rest.length > 0) return undefined
  const pattern = patternOf(path)
  const fits = ({ url, method: asked }: Subject) =>
    asked === method && url.origin === origin && pattern?.test(url.pathname) === true
  return fits(request) ? { name: `${origin} ${resource}`, fits } : undefined
}

/** `/weather/:city`, `/files/*`; undefined for what is written in another way. */
function patternOf(path: string): RegExp | undefined {
  const parts = path.split('/').map((part, index, all) => {
    if (/^:\w+$/.test(part)) return '[^/]+'
    if (part === '*' && index === all.length - 1) return '.+'
    return /^[\w.~%!$&'+,;=@-]*$/.test(part) ? part.replace(/[.$+]/g, '\\$&') : undefined
  })
  return parts.every((part) => part !== undefined) ? new RegExp(`^${parts.join('/')}$`) : undefined
}
