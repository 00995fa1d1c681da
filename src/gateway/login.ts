/** Who asks as an administrator: by a name and a password, or by a token that stands for them. */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import { ok, RefusedError } from './answer.ts'
import type { Gateway } from './context.ts'
import { headerIn } from './request.ts'
import type { Administrator, Visit } from './route.ts'
import { requireOwnSite } from './site.ts'

/**
 * undefined: nobody says so.
 *
 * A password that is wrong and a name that nobody has are answered the same and after the same time, and both count
 * against the limit. Room is taken before the password is looked at, so that guesses at the same time count too.
 *
 * @throws {RefusedError} 401 | 403 | 429
 */
export async function administratorOf(
  gateway: Gateway,
  request: IncomingMessage,
  client: string,
): Promise<Administrator | undefined> {
  const shown = readBasic(headerIn(request, 'Authorization'))
  if (!shown) return undefined
  requireOwnSite(request, gateway.hosts)
  if (shown.password === '') {
    const name = gateway.tokens.holderOf(shown.name)
    if (name !== undefined) return { name, token: shown.name }
    requireRoom(gateway.requests.take(client))
    throw unauthorized('This token is not known, or was not used for too long. Log in again.')
  }
  requireRoom(gateway.logins.take(client))
  if (!(await gateway.checkPassword(shown.name, shown.password))) {
    gateway.receiver.log('warn', 'login-failed', { client })
    throw unauthorized('There is no such user with this password.')
  }
  gateway.logins.giveBack(client)
  return { name: shown.name, token: undefined }
}

/** A new token for whoever showed a password; whoever showed a token keeps that one. */
export function logIn(gateway: Gateway, visit: Visit): Answer {
  const { name, token } = requireAdministrator(visit)
  return ok({ token: token ?? gateway.tokens.issue(name) })
}

export function logOut(gateway: Gateway, visit: Visit): Answer {
  const { token } = requireAdministrator(visit)
  if (token === undefined) {
    throw new RefusedError(400, 'A password cannot be logged out. Give the token as the user name, and no password.')
  }
  gateway.tokens.drop(token)
  return ok('OK')
}

/** @throws {RefusedError} 401 */
export function requireAdministrator({ administrator }: Visit): Administrator {
  if (administrator) return administrator
  throw unauthorized('This is for administrators. Log in with a user name and a password.')
}

function unauthorized(detail: string): RefusedError {
  const asks = 'Basic realm="Administration of this receiver", charset="UTF-8"'
  return new RefusedError(401, detail, { headers: [['WWW-Authenticate', asks]] })
}

/** @throws {RefusedError} 429 unless there is nothing to wait for */
export function requireRoom(waitSeconds: number): void {
  if (waitSeconds === 0) return
  throw new RefusedError(429, `Too many requests. Ask again in ${waitSeconds} seconds.`, {
    headers: [['Retry-After', `${waitSeconds}`]],
  })
}

/** @see RFC 7617 */
function readBasic(header: string | undefined): { name: string; password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const end = text.indexOf(':')
  return end < 0 ? { name: text, password: '' } : { name: text.slice(0, end), password: text.slice(end + 1) }
}
