/** Answers that are kept for a retry, in records of their own. */
import { AnswerGoneError } from '../base/errors.ts'
import { ownRecord } from '../base/read.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'

/** Prefix of the names of these records. */
export const ANSWERS = 'answer:'

type Kept = { readonly status: number; readonly headers: HeaderLines; readonly body: string }

/** Filed in the place of an answer for which there is no room. */
const NOT_KEPT = ''

/** Files an answer, if there is room for it, and else that there was one. */
export function keepAnswer({ store, live }: Context, id: string, answer: Answer | 'too long'): Promise<void> {
  const record = answer === 'too long' ? NOT_KEPT : JSON.stringify(kept(answer))
  const hasRoom = live.shelf.take(record.length)
  return store.writeRecord(`${ANSWERS}${id}`, () => (hasRoom ? record : NOT_KEPT))
}

/** The answer once more; undefined if there is none. @throws {AnswerGoneError} if it was not kept */
export async function readAnswer({ store }: Context, id: string): Promise<Answer | undefined> {
  const record = await store.readRecord(`${ANSWERS}${id}`)
  if (record === undefined) return undefined
  if (record === NOT_KEPT) throw new AnswerGoneError()
  const { status, headers, body } = ownRecord<Kept>(record)
  return { status, headers: [...headers, ['Idempotency-Replayed', 'true']], body: Buffer.from(body, 'base64') }
}

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'trailer', 'upgrade'])

function kept({ status, headers, body }: Answer): Kept {
  const end = headers.filter(([name]) => !hopByHop.has(name.toLowerCase()))
  return { status, headers: end, body: Buffer.from(body).toString('base64') }
}
