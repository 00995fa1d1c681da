/**
 * Whether a request to administer comes from our own site.
 *
 * A page of another site can make a browser send one, with a password that the
 * browser remembers. And a name that its owner points at this machine makes
 * that owner's page our own site, so names are taken only where the operator
 * has said that they are ours.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { RefusedError } from './answer.ts'
import { headerIn } from './request.ts'

/** @throws {RefusedError} 403 */
export function requireOwnSite(request: IncomingMessage, hosts: ReadonlySet<string>): void {
  const host = headerIn(request, 'Host') ?? ''
  const name = nameOf(host)
  if (name === undefined || !(isAddress(name) || name === 'localhost' || hosts.has(name))) {
    throw new RefusedError(
      403,
      'There is no administration under this name. Use the IP address, or have the operator add the name to `hosts`.',
    )
  }
  const origin = headerIn(request, 'Origin')
  const site = headerIn(request, 'Sec-Fetch-Site') ?? 'none'
  if ((origin !== undefined && !isOrigin(origin, host)) || !['same-origin', 'none'].includes(site)) {
    throw new RefusedError(403, 'This was asked by a page of another site. Administer from a program, or from here.')
  }
}

/** Lower case, without a port. undefined: no host can be called so. */
function nameOf(host: string): string | undefined {
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

function isOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host: asked } = new URL(origin)
  return /^https?:$/.test(protocol) && asked === new URL(`${protocol}//${host}`).host
}
