/** Keep-alive connections that carry one request at a time. */
import { connect, type Socket } from 'node:net'
import { answerReader, type Answer } from './answers.ts'

export type Connection = {
  /** Call again only after its answer came. */
  send(request: Buffer, onAnswer: (answer: Answer) => void): void
  close(): void
}

/** `onBroken` is told when one ends before it is closed. */
export async function openConnections(
  port: number,
  count: number,
  onBroken: (error: Error) => void,
): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(port, onBroken)))
}

async function openConnection(port: number, onBroken: (error: Error) => void): Promise<Connection> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(opening)).once('error', reject)
  })
  let onAnswer: ((answer: Answer) => void) | undefined
  let closed = false
  socket.on(
    'data',
    answerReader((answer) => onAnswer?.(answer)),
  )
  socket.on('error', onBroken)
  socket.on('close', () => closed || onBroken(new Error('the server closed a connection')))
  return {
    send: (request, then) => {
      onAnswer = then
      socket.write(request)
    },
    close: () => {
      closed = true
      socket.destroy()
    },
  }
}
