/** One request over a real socket, header by header as it is written, and what came back, byte for byte. */
import { Agent, request } from 'node:http'

/** Names and values in the order in which they are on the wire. */
export type Lines = readonly (readonly [name: string, value: string])[]

export type Exchange = {
  readonly method: string
  readonly url: string
  /** The header lines as they went out. */
  readonly sent: Lines
  readonly body: string
  readonly answer: Answer
}

export type Answer = {
  readonly status: number
  /** The header lines as they came. */
  readonly lines: Lines
  readonly body: string
}

/** The value of a header, whatever its capitals. Several of one name are joined, as Python's requests does. */
export function header({ lines }: { readonly lines: Lines }, name: string): string | undefined {
  const values = lines.filter(([given]) => given.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length > 0 ? values.join(', ') : undefined
}

/** One value of a request that was sent. */
export function sentHeader({ sent }: Exchange, name: string): string | undefined {
  return header({ lines: sent }, name)
}

export type Connection = {
  readonly exchanges: Exchange[]
  /** Sends these header lines and no others. `Content-Length` is the caller's to give. */
  send(method: string, url: string, lines: Lines, body?: string): Promise<Answer>
  close(): void
}

/** One connection that is kept, as a session of Python's requests and a browser keep theirs. */
export function openConnection(): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const exchanges: Exchange[] = []
  return {
    exchanges,
    async send(method, url, lines, body = '') {
      const answer = await ask(agent, method, url, lines, body)
      exchanges.push({ method, url, sent: lines, body, answer })
      return answer
    },
    close: () => agent.destroy(),
  }
}

/** Pairs of a flat list of names and values, which is how Node gives headers. */
export function linesOf(raw: readonly string[]): Lines {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]!] as const] : []))
}

function ask(agent: Agent, method: string, url: string, lines: Lines, body: string): Promise<Answer> {
  const { hostname, port, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
    const options = { agent, hostname, port, method, path: pathname + search, headers: lines.flat() }
    request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, lines: linesOf(response.rawHeaders), body: text })
      })
    })
      .on('error', reject)
      .end(body)
  })
}
