/**
 * A receiver over REST: `farthing/gateway`. The paths and the JSON are those of
 * µRaiden 0.2.
 *
 * Everybody may see what the chain shows. What comes from vouchers, and a
 * close, are for one who proves to be the sender, and orders are for
 * administrators, of whom there are none unless the operator names them.
 *
 * @see docs/reference/rest.md
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf } from '../base/log.ts'
import type { Receiver } from '../receiver/receiver.ts'
import { send } from './answer.ts'
import { dispatch } from './dispatch.ts'
import { gatewayOf, type GatewayOptions } from './options.ts'
import { clientOf } from './request.ts'
import { matching } from './route.ts'
import { routesAt } from './routes.ts'

export { hashPassword, type User } from './users.ts'
export type { GatewayOptions } from './options.ts'

export type MountedGateway = {
  readonly path: string
  /** Answers if the path of the request is one of its own; otherwise resolves to false and leaves it. Never rejects. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** @throws {ConfigError} naming the option that is wrong */
export function createGateway(receiver: Receiver, options: GatewayOptions = {}): MountedGateway {
  const gateway = gatewayOf(receiver, options)
  const routes = routesAt(gateway.path)
  const { clientOf: nameClient = clientOf } = options
  return {
    path: gateway.path,
    async serve(request, response) {
      const target = request.url ?? '/'
      const end = target.indexOf('?')
      const path = end < 0 ? target : target.slice(0, end)
      const found = matching(routes, path)
      if (found.length === 0 && path !== gateway.path && !path.startsWith(`${gateway.path}/`)) return false
      const query = new URLSearchParams(end < 0 ? '' : target.slice(end + 1))
      try {
        await send(response, await dispatch(gateway, found, { request, query, client: nameClient(request) }))
      } catch (error) {
        receiver.log('error', 'request-failed', { message: messageOf(error) })
        response.destroy()
      }
      return true
    },
  }
}
