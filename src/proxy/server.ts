/** A server with its limits, with or without TLS: making it, taking an address, and saying what that is. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import { ConfigError } from '../base/faults.ts'
import type { ServerLimits } from './limits.ts'
import { readTls, type TlsOptions } from './tls.ts'

/** @throws {ConfigError} if the certificate or its key cannot be used */
export function openServer(
  listener: RequestListener,
  limits: ServerLimits,
  tls: TlsOptions | undefined,
): Server | TlsServer {
  const { headersMs } = limits
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(headersMs, CHECKING_MS),
  }
  const server = tls
    ? createTlsServer({ ...options, ...readTls(tls), handshakeTimeout: headersMs }, listener)
    : createServer(options, listener)
  server.maxConnections = limits.connections
  server.setTimeout(limits.idleMs)
  return server
}

/** How often Node looks for clients that take too long. */
const CHECKING_MS = 1_000

/** For connections from now on. @throws {ConfigError} if it cannot be used; then the server goes on as it was */
export function changeTls(server: Server | TlsServer, tls: TlsOptions | undefined): void {
  if (!tls || !(server instanceof TlsServer)) {
    throw new ConfigError('tls', 'was not given when the server was made, so there is nothing to change')
  }
  server.setSecureContext(readTls(tls))
}

export function urlOf(server: Server | TlsServer): string | undefined {
  const address = server.address()
  if (address === null || typeof address === 'string') return undefined
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `${server instanceof TlsServer ? 'https' : 'http'}://${host}:${address.port}`
}

/** @throws {ConfigError} if the port is in use */
export function listen(server: Server | TlsServer, port: number, host: string): Promise<string> {
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
