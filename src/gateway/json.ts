/** JSON with amounts in it. */

/** What an answer is made of. Members that are undefined are left out. */
export type Value =
  string | number | boolean | null | bigint | readonly Value[] | { readonly [name: string]: Value | undefined }

/**
 * An amount is a JSON number with all its digits, as µRaiden's were: base units of a token with 18 decimals need
 * more of them than a double holds. Whoever needs the last digits reads with a reader that keeps them.
 */
export function writeJson(value: Value): string {
  if (typeof value === 'bigint') return `${value}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(writeJson).join(',')}]`
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`${JSON.stringify(name)}:${writeJson(member)}`],
  )
  return `{${members.join(',')}}`
}

/**
 * The same text with its numbers as strings, so that no digit of theirs is lost when it is read.
 *
 * The caller has seen that it is JSON.
 */
export function quoteNumbers(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token.startsWith('"') ? token : `"${token}"`))
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
