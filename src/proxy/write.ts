/** The answers that a proxy writes itself. */
import type { ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'

/** Plain text, which no browser takes for anything else. */
export function sendText(response: ServerResponse, text: string): void {
  sendBody(response, 'text/plain; charset=utf-8', text)
}

/** @throws {TypeError} for what JSON cannot say */
export function sendJson(response: ServerResponse, value: unknown): void {
  const text: unknown = JSON.stringify(value)
  if (typeof text !== 'string') throw new TypeError('a json route gave nothing that JSON can say')
  sendBody(response, 'application/json', `${text}\n`)
}

/** A problem that has nothing to do with payments. @see RFC 9457 */
export function sendProblem(
  response: ServerResponse,
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const problem = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail }
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  sendBody(response, 'application/problem+json', `${JSON.stringify(problem, null, 2)}\n`)
}

function sendBody(response: ServerResponse, type: string, body: string): void {
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.end(body)
}
