/** As many requests as the server can answer: each connection sends its next one when it has an answer. */
import { openConnections, type Connection } from './sockets.ts'

export type Saturated = { readonly answered: number; readonly seconds: number }

/** Request number i goes over connection i modulo their number. @throws if any is answered with another status than 200 */
export async function saturate(port: number, connections: number, requests: readonly Buffer[]): Promise<Saturated> {
  let fail: (error: Error) => void = () => undefined
  const broken = new Promise<never>((_, reject) => (fail = reject))
  broken.catch(() => undefined)
  const open = await openConnections(port, connections, fail)
  try {
    const start = performance.now()
    await Promise.race([Promise.all(open.map((one, index) => drain(one, requests, index, connections))), broken])
    return { answered: requests.length, seconds: (performance.now() - start) / 1000 }
  } finally {
    for (const one of open) one.close()
  }
}

function drain(connection: Connection, requests: readonly Buffer[], first: number, step: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let index = first
    const next = () => {
      const request = requests[index]
      index += step
      if (!request) {
        resolve()
        return
      }
      connection.send(request, ({ status, text }) => {
        if (status === 200) next()
        else reject(new Error(`a paid request was answered with\n${text}`))
      })
    }
    next()
  })
}
