/** Reads a JSON file that somebody wrote, and notes what is wrong instead of throwing at the first thing. */
import { MalformedPaymentError } from '../../base/errors.ts'
import { messageOf } from '../../base/log.ts'
import * as read from '../../base/read.ts'

/** Told of one mistake: where, and what to do about it. */
export type Note = (field: string, problem: string) => void

/** Several things are wrong with a file. */
export class MistakesError extends Error {
  override readonly name = 'MistakesError'
  /** `routes["GET /x"].price: …`, at least one. */
  readonly mistakes: readonly string[]
  constructor(file: string, mistakes: readonly string[]) {
    super(`${file} has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}. Nothing of it is used.`)
    this.mistakes = mistakes
  }
}

/** The object that the text holds; undefined if it holds none. */
export function parse(text: string, note: Note): read.JsonObject | undefined {
  try {
    JSON.parse(text)
  } catch (error) {
    note('the file', `is not JSON (${messageOf(error)})`)
    return undefined
  }
  try {
    return read.jsonObject(text, 'file')
  } catch (error) {
    if (!(error instanceof MalformedPaymentError)) throw error
    const problem = messageOf(error).replace(/^.*?: file /, '')
    note('the file', `${problem.replace(/\.$/, '')}. Write {"routes": {…}}, and each name once`)
    return undefined
  }
}

/** Notes every member that is not one of `names`: a misspelt one could be a price. */
export function requireKnown(given: read.JsonObject, names: readonly string[], field: string, note: Note): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      note(field, `has ${JSON.stringify(name)}, which is not known. Known are ${names.join(', ')}`)
  }
}

export function objectIn(given: unknown, field: string, note: Note): read.JsonObject | undefined {
  if (isObject(given)) return given
  note(field, given === undefined ? 'is missing' : 'is not an object: {…}')
  return undefined
}

export function isObject(given: unknown): given is read.JsonObject {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

export function isText(given: unknown): given is string {
  return typeof given === 'string'
}

export function isSwitch(given: unknown): given is boolean {
  return typeof given === 'boolean'
}

export function isNumber(given: unknown): given is number {
  return typeof given === 'number'
}

export function isListOf<T>(is: (one: unknown) => one is T): (given: unknown) => given is readonly T[] {
  return (given): given is readonly T[] => Array.isArray(given) && given.every((one) => is(one))
}

/** A member that may be left out; undefined as well, and noted, where it is something else than `what`. */
export function optional<T>(
  from: read.JsonObject,
  name: string,
  { is, what, field, note }: { is: (given: unknown) => given is T; what: string; field: string; note: Note },
): T | undefined {
  const given = read.member(from, name)
  if (given === undefined || is(given)) return given
  note(`${field}.${name}`, `is not ${what}`)
  return undefined
}
