/** Answers that are kept for a retry, in records of their own. */
import { AnswerGoneError } from '../base/errors.ts'
import { ownRecord } from '../base/read.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'

/** Prefix of the names of these records. */
export const ANSWERS = 'answer:'

type Kept = { readonly status: number; readonly headers: HeaderLines; readonly body: string }

/** Files an answer, if there is room for it. Its retry is told if there was none. */
export async function keepAnswer({ store, live }: Context, id: string, answer: Answer | 'too long'): Promise<void> {
  if (answer === 'too long') return
  const record = JSON.stringify(kept(answer))
  if (live.shelf.take(record.length)) await store.writeRecord(`${ANSWERS}${id}`, () => record)
}

/** The answer once more. @throws {AnswerGoneError} if it was not kept, or not until now */
export async function readAnswer({ store }: Context, id: string): Promise<Answer> {
  const record = await store.readRecord(`${ANSWERS}${id}`)
  if (record === undefined) throw new AnswerGoneError()
  const { status, headers, body } = ownRecord<Kept>(record)
  return { status, headers: [...headers, ['Idempotency-Replayed', 'true']], body: Buffer.from(body, 'base64') }
}

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'trailer', 'upgrade'])

function kept({ status, headers, body }: Answer): Kept {
  const end = headers.filter(([name]) => !hopByHop.has(name.toLowerCase()))
  return { status, headers: end, body: Buffer.from(body).toString('base64') }
}
