/** Requests whose target goes out byte for byte, which no client library would do. */
import { request, type IncomingMessage } from 'node:http'

export type RawAnswer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string }

export function ask(
  url: string,
  method: string,
  target: string,
  headers: Record<string, string | string[]> = {},
  body?: string,
) {
  const { hostname, port } = new URL(url)
  return new Promise<RawAnswer>((resolve, reject) => {
    request({ hostname, port, method, path: target, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() })
      })
    })
      .on('error', reject)
      .end(body)
  })
}
