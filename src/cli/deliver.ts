/** Hands an answer over: to standard output or a file, as bytes or in one JSON object. */
import { createWriteStream } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { out, outBytes, outJson, printable } from './print.ts'
import type { Purchase } from './purchase.ts'

export type DeliverOptions = { readonly output?: string; readonly include?: boolean; readonly json?: boolean }

export async function deliver(purchase: Purchase, { output, include, json }: DeliverOptions): Promise<void> {
  const { response } = purchase
  if (output !== undefined) await save(response, output)
  if (json) {
    outJson({ ...summary(purchase), ...(output === undefined ? await bodyOf(response) : { file: output }) })
  } else {
    if (include) out(headOf(response))
    if (output === undefined) await print(response)
  }
}

async function print({ body }: Response): Promise<void> {
  for await (const chunk of body ?? []) await outBytes(chunk)
}

function summary({ response, price, channel, charged, transactions }: Purchase) {
  return { status: response.status, price, charged: charged ?? 0n, channel: channel ?? null, transactions }
}

/** As text where it is text; else in base64, and it says so. */
async function bodyOf(response: Response): Promise<{ body: string; encoding?: 'base64' }> {
  const bytes = Buffer.from(await response.arrayBuffer())
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { body: bytes.toString('base64'), encoding: 'base64' }
  }
}

async function save(response: Response, path: string): Promise<void> {
  try {
    const body = response.body ?? new Blob([]).stream()
    await pipeline(Readable.from(body), createWriteStream(path))
  } catch (error) {
    throw new ConfigError('-o', `${path} cannot be written: ${messageOf(error)}`)
  }
}

function headOf({ status, statusText, headers }: Response): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${printable(statusText || (STATUS_CODES[status] ?? ''))}`, ...lines, ''].join('\n')
}
