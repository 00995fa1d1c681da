/**
 * From a request to its answer: the method, who asks, whether there is room,
 * then the route.
 *
 * An administrator is never held up by the requests of others, nor is one who
 * proves to be a sender. A proof that does not hold takes room like no proof.
 */
import type { IncomingMessage } from 'node:http'
import { PROOF_HEADER } from '../dialect/rdn-closing.ts'
import { RefusedError, type Answer } from './answer.ts'
import type { Gateway } from './context.ts'
import { answerTo } from './fault.ts'
import { administratorOf, requireAdministrator, requireRoom } from './login.ts'
import { headerIn } from './request.ts'
import type { Matched, Visit } from './route.ts'

type Asked = Pick<Visit, 'query' | 'client'> & { readonly request: IncomingMessage }

/** `found`: the routes of the path, for all methods. Never rejects. */
export async function dispatch(gateway: Gateway, found: readonly Matched[], asked: Asked): Promise<Answer> {
  try {
    return await run(gateway, found, asked)
  } catch (error) {
    return answerTo(gateway, error)
  }
}

async function run(gateway: Gateway, found: readonly Matched[], asked: Asked): Promise<Answer> {
  const { request, client } = asked
  const administrator = await administratorOf(gateway, request, client)
  const mayProve = found.some(({ route }) => route.access === 'anyone, and senders')
  const proving = mayProve && headerIn(request, PROOF_HEADER) !== undefined
  if (!administrator && !proving) requireRoom(gateway.requests.take(client))
  try {
    const matched = byMethod(found, request.method)
    if ('status' in matched) return matched
    const { route, params } = matched
    const visit = { ...asked, params, administrator }
    if (route.access === 'administrator') requireAdministrator(visit)
    const answer = await route.run(gateway, visit)
    if (!administrator) gateway.requests.charge(client, costOf(answer))
    return answer
  } catch (error) {
    if (!administrator && proving) requireRoom(gateway.requests.take(client))
    throw error
  }
}

/** Bytes of an answer that cost as much as one more request. */
const COSTS_ONE = 65_536

function costOf({ body }: Answer): number {
  return typeof body === 'string' ? Math.floor(body.length / COSTS_ONE) : 0
}

/** @throws {RefusedError} 404 | 405 */
function byMethod(found: readonly Matched[], method = 'GET'): Matched | Answer {
  if (found.length === 0) throw new RefusedError(404, 'There is nothing at this address. See openapi.json for what is.')
  const methods = found.map(({ route }) => route.method)
  const named = [...methods.flatMap((one) => (one === 'GET' ? [one, 'HEAD'] : [one])), 'OPTIONS']
  const allow = ['Allow', named.join(', ')] as const
  if (method === 'OPTIONS') return { status: 204, headers: [allow], body: '' }
  const matched = found.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
  if (matched) return matched
  throw new RefusedError(405, `This is for ${named.join(', ')}.`, { headers: [allow] })
}
