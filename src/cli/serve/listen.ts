/** Small servers beside the one that sells, each at an address that an option names. */
import type { Server } from 'node:http'
import { ConfigError } from '../../base/faults.ts'
import { messageOf } from '../../base/log.ts'

export type ListenAt = { readonly option: string; readonly host: string; readonly port: number }

/** @throws {ConfigError} naming the option */
export function readListenAt(text: string, option: string): ListenAt {
  const [, host, digits] = /^(.+):([0-9]{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { option, host: host.replace(/^\[(.*)\]$/, '$1'), port }
  throw new ConfigError(option, 'needs an address and a port, such as 127.0.0.1:9464')
}

/** @throws {ConfigError} naming the option, if the place cannot be had */
export function listen(server: Server, { option, host, port }: ListenAt): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new ConfigError(option, `${host}:${port} cannot be had (${messageOf(error)})`)),
    )
    server.listen(port, host, () => resolve(server))
  })
}

export function hangUp(server: Server | undefined): void {
  server?.closeAllConnections()
  server?.close()
}
