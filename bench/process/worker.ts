/** A process of one's own that answers questions, so that its processor time is its own too. */
import { fork, type ChildProcess } from 'node:child_process'

export type Worker<facts> = {
  /** What it said when it was ready. */
  readonly facts: facts
  ask<answer>(question: unknown): Promise<answer>
  stop(): Promise<void>
}

type Message = { readonly ready?: unknown; readonly id?: number; readonly answer?: unknown; readonly error?: string }
type Waiting = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void }

/** Starts `file` with `settings`, and waits until it is ready. It ends with us. */
export async function startWorker<facts>(file: string, settings: object, flags: string[] = []): Promise<Worker<facts>> {
  const child = fork(file, [], {
    serialization: 'advanced',
    execArgv: flags,
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const waiting = new Map<number, Waiting>()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let asked = 0
  const facts = await new Promise<unknown>((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error)
      for (const one of waiting.values()) one.reject(error)
    }
    child.once('error', fail)
    child.once('exit', (code) => fail(new Error(`${file} ended with ${code ?? 'a signal'}`)))
    child.on('message', (message: Message) => {
      if ('ready' in message) resolve(message.ready)
      else settle(waiting, message)
    })
    child.send(settings)
  })
  return {
    facts: facts as facts,
    ask: <answer>(question: unknown) =>
      new Promise<answer>((resolve, reject) => {
        asked += 1
        waiting.set(asked, { resolve: (value) => resolve(value as answer), reject })
        child.send({ id: asked, question })
      }),
    stop: () => stop(child, ended),
  }
}

function settle(waiting: Map<number, Waiting>, { id = 0, answer, error }: Message): void {
  const one = waiting.get(id)
  waiting.delete(id)
  if (error === undefined) one?.resolve(answer)
  else one?.reject(new Error(error))
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect()
  await ended
}
