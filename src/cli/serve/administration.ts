/** Has a running server close or settle, as one of its administrators. */
import type { Hash } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { MalformedPaymentError } from '../../base/errors.ts'
import * as read from '../../base/read.ts'
import { readPassword } from '../password.ts'
import { createRestClient, type RestClient } from '../rest-client.ts'
import type { Done, Failed, Sheet } from './balance-sheet.ts'
import type { Deed } from './till.ts'

export type ServerOptions = { readonly server?: string; readonly user?: string; readonly passwordFile?: string }

/** @param field how the server was named. @throws {ConfigError} without a user */
export async function logInAt(
  server: string,
  { user, passwordFile }: ServerOptions,
  field = '--server',
): Promise<RestClient> {
  if (user === undefined) throw new ConfigError('--user', 'is needed: one of the users of the server')
  const password = await readPassword(passwordFile, `Password of ${user} at ${server}: `)
  return createRestClient(server, field, { name: user, password })
}

/** A channel as the server has it. */
export type Filed = Deed & {
  readonly key: string
  readonly status: string
  readonly hasVoucher: boolean
  readonly settled: bigint
}

export async function channelsAt(client: RestClient): Promise<Filed[]> {
  return itemsOf(await client.ask('GET', '/admin/channels')).map((item) => {
    const [authorized, settled] = [amountIn(item, 'balance'), amountIn(item, 'settled')]
    const key = textIn(item, 'channel')
    return {
      key,
      channel: idIn(key),
      protocol: textIn(item, 'protocol'),
      sender: textIn(item, 'sender_address'),
      status: textIn(item, 'status'),
      hasVoucher: read.member(item, 'last_signature') !== null,
      settled,
      amount: authorized > settled ? authorized - settled : 0n,
    }
  })
}

/** What its channels were when they were asked for says which one each answer is about. */
export async function closeAllAt(client: RestClient, filed: readonly Filed[]): Promise<Sheet> {
  const sheet: { done: Done[]; failed: Failed[] } = { done: [], failed: [] }
  for (const item of itemsOf(await client.ask('POST', '/admin/channels'))) {
    const known = findFiled(filed, item)
    const outcome = textIn(item, 'outcome')
    if (outcome === 'closed') {
      const amount = amountIn(item, 'balance') - known.settled
      sheet.done.push({
        ...deedIn(known),
        amount,
        transaction: read.hash(read.member(item, 'transaction'), 'transaction'),
      })
    } else if (known.hasVoucher) {
      sheet.failed.push({ ...deedIn(known), reason: textIn(item, 'detail') })
    }
  }
  return { ...sheet, gas: null }
}

export async function settleAllAt(client: RestClient, filed: readonly Filed[]): Promise<Sheet> {
  const sheet: { done: Done[]; failed: Failed[] } = { done: [], failed: [] }
  for (const item of itemsOf(await client.ask('POST', '/admin/settle'))) {
    const deed = deedIn(findFiled(filed, item))
    if (read.member(item, 'ok') === true) {
      const transaction: Hash = read.hash(read.member(item, 'transaction'), 'transaction')
      sheet.done.push({ ...deed, amount: amountIn(item, 'amount'), transaction })
    } else sheet.failed.push({ ...deed, reason: textIn(item, 'detail') })
  }
  return { ...sheet, gas: null }
}

export function deedIn({ channel, protocol, sender, amount }: Filed): Deed {
  return { channel, protocol, sender, amount }
}

function findFiled(filed: readonly Filed[], item: read.JsonObject): Filed {
  const key = textIn(item, 'channel')
  const known = filed.find((one) => one.key === key)
  // Opened since.
  return (
    known ?? {
      key,
      channel: idIn(key),
      protocol: '',
      sender: '',
      status: 'open',
      hasVoucher: true,
      settled: 0n,
      amount: 0n,
    }
  )
}

function itemsOf(answer: unknown): read.JsonObject[] {
  if (!Array.isArray(answer)) throw new MalformedPaymentError('answer', 'is not a list')
  return answer.map((item) => read.object(item, 'answer'))
}

function textIn(item: read.JsonObject, name: string): string {
  return read.text(read.member(item, name), name)
}

function amountIn(item: read.JsonObject, name: string): bigint {
  return read.uint(read.member(item, name), name, 192)
}

/** The last part of a key. */
function idIn(key: string): Hash {
  return read.hash(key.split(':').at(-1), 'channel')
}
