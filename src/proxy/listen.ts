/** A server's address: taking it, and saying what it is. */
import type { Server } from 'node:http'
import { ConfigError } from '../base/faults.ts'

export function urlOf(server: Server): string | undefined {
  const address = server.address()
  if (address === null || typeof address === 'string') return undefined
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

/** @throws {ConfigError} if the port is in use */
export function listen(server: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new ConfigError('port', `${port} is in use. Take another, or 0 for a free one`)
          : error,
      )
    }
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve(urlOf(server) ?? '')
    })
  })
}
