/**
 * What a sender in another process meets: a shop that says what reaches it, and a node that says what it is asked.
 *
 * Both tell `watch` each fact in the moment in which it happens, so that a kill can follow at once.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { createProxy, type Run } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newReceiver } from '../support/market.ts'
import type { RailKit } from '../support/rail-kits.ts'
import type { SenderSettings } from './sender-process.ts'

/** `to be sent`: a transaction, which goes no further if its sender dies now; `sent`: it is mined, and nobody told. */
export type Fact = 'arrival' | 'run' | 'answer' | 'asked' | 'to be sent' | 'sent'

/** Returns whether the other side is still alive. `body`: what a node is asked. */
export type Watch = (fact: Fact, body?: string) => boolean

export type SenderShop = {
  readonly url: string
  readonly receiver: Receiver
  /** The names of purchases, once for each run of the handler. */
  readonly ran: readonly string[]
  /** The most that a voucher on the wire was over, whatever became of it, by what names its channel. */
  readonly seen: ReadonlyMap<string, bigint>
  /** What payments were refused with: a code of `docs/errors.md`. */
  readonly refusals: readonly string[]
  /** Whether nothing that arrived is still being worked on. */
  isQuiet(): Promise<boolean>
  close(): Promise<void>
}

export async function openSenderShop(
  world: LocalChain,
  { name, rail }: RailKit,
  watch: Watch,
  random: () => number,
  known?: Receiver,
): Promise<SenderShop> {
  const receiver = known ?? (await newReceiver(world, { rails: [rail(world)] }))
  const ran: string[] = []
  const refusals: string[] = []
  const seen = new Map<string, bigint>()
  let running = 0
  const run: Run = (request, response) => {
    running += 1
    ran.push(String(request.headers['x-purchase']))
    watch('run')
    setTimeout(() => {
      running -= 1
      response.end('foo')
    }, random() * 20)
  }
  const mounts = name === 'rdn' ? [createGateway(receiver)] : []
  const { listener } = createProxy({ receiver, routes: { 'GET|POST /*': { price: 5n, run } }, mounts })
  const { url, server, close } = await listen((request, response) => {
    const payment = paymentIn(request)
    if (payment) {
      if (payment.amount > (seen.get(payment.channel) ?? -1n)) seen.set(payment.channel, payment.amount)
      watch('arrival')
      response.on('finish', () => void watch('answer'))
      const end = response.end.bind(response)
      Object.assign(response, {
        end: (...args: Parameters<typeof end>) => {
          if (response.statusCode !== 200) refusals.push(codeIn(args[0]))
          return end(...args)
        },
      })
    }
    listener(request, response)
  })
  const connections = () =>
    new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    })
  return {
    url,
    receiver,
    ran,
    seen,
    refusals,
    isQuiet: async () => running === 0 && (await connections()) === 0,
    close: async () => {
      await close()
      await receiver.stop()
    },
  }
}

function codeIn(body: unknown): string {
  return (JSON.parse(String(body)) as { code: string }).code
}

/** What a request pays, as a stranger reads it; undefined for one that shows no voucher. */
function paymentIn({ headers }: IncomingMessage): { readonly channel: string; readonly amount: bigint } | undefined {
  const balance = headers['rdn-balance']
  if (typeof balance === 'string') return { channel: String(headers['rdn-open-block']), amount: BigInt(balance) }
  const [, encoded] = /^Payment (.+)$/.exec(headers.authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const { payload } = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as {
    payload: { channelId: string; cumulativeAmount?: string; signature?: string }
  }
  if (payload.signature === undefined) return undefined
  return { channel: payload.channelId.toLowerCase(), amount: BigInt(payload.cumulativeAmount ?? '0') }
}

/** Passes everything on to the node of `world`. */
export async function openNode(world: LocalChain, watch: Watch) {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString()
      const isTransaction = body.includes('"eth_sendRawTransaction"')
      watch('asked', body)
      if (isTransaction && !watch('to be sent', body)) return
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(world.anvil.url, { method: 'POST', body, headers })
      const text = await answer.text()
      if (isTransaction) watch('sent')
      outgoing.writeHead(answer.status, headers)
      outgoing.end(text)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

export type RunningSender = {
  kill(): void
  /** All lines that it printed, when it is gone. @throws what it said if it ended in another way than `signal` */
  ended(signal?: 'SIGKILL'): Promise<readonly string[]>
}

export function startSender(program: string, settings: SenderSettings): RunningSender {
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let said = ''
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  return {
    kill: () => void child.kill('SIGKILL'),
    ended: async (signal) => {
      const [code, ended] = await closed
      if ((signal ? ended !== signal : code !== 0) || said !== '') {
        throw new Error(`the sender ended with ${code ?? ended}: ${said} ${lines.slice(-20).join('\n')}`)
      }
      return lines
    },
  }
}
