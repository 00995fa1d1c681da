/** An upstream in a file with routes. What may be sent where is for the proxy to check. */
import * as read from '../../base/read.ts'
import type { UpstreamOptions } from '../../proxy/proxy.ts'
import { isListOf, isNumber, isObject, isSwitch, isText, optional, requireKnown, type Note } from './json-file.ts'

const members = ['url', 'strip', 'headers', 'forward', 'cookies', 'timeoutMs', 'freeStatuses']

/** A URL, or what the proxy calls upstream options. The value of a header may be `{"env": "NAME"}`. */
export function readUpstream(given: unknown, field: string, note: Note): string | UpstreamOptions | undefined {
  if (isText(given)) return given
  if (!isObject(given)) {
    note(field, 'is neither a URL nor an object')
    return undefined
  }
  requireKnown(given, members, field, note)
  const member = <T>(name: string, is: (value: unknown) => value is T, what: string) =>
    optional(given, name, { is, what, field, note })
  const url = member('url', isText, 'a URL')
  const strip = member('strip', isText, 'the beginning of a path')
  const forward = member('forward', isListOf(isText), 'a list of names of headers')
  const cookies = member('cookies', isSwitch, 'true or false')
  const timeoutMs = member('timeoutMs', isNumber, 'a number of milliseconds')
  const freeStatuses = member('freeStatuses', isListOf(isNumber), 'a list of statuses')
  const headers = headersIn(member('headers', isObject, 'an object: {…}'), `${field}.headers`, note)
  if (!Object.hasOwn(given, 'url')) note(`${field}.url`, 'is missing')
  if (url === undefined) return undefined
  return {
    url,
    headers,
    ...(strip !== undefined && { strip }),
    ...(forward && { forward }),
    ...(cookies !== undefined && { cookies }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(freeStatuses && { freeStatuses }),
  }
}

/** Values may be secrets, so they are not repeated, and may stand in the environment instead of the file. */
function headersIn(given: read.JsonObject | undefined, field: string, note: Note): Record<string, string> {
  const entries = Object.entries(given ?? {}).map(([name, value]): [string, string] => {
    if (isText(value)) return [name, value]
    const variable = isObject(value) ? read.member(value, 'env') : undefined
    const known = isText(variable) ? process.env[variable] : undefined
    if (!isText(variable)) note(`${field}.${name}`, 'is neither a string nor {"env": "NAME"}')
    else if (!known) note(`${field}.${name}`, `is in the environment variable ${variable}, which is not set`)
    return [name, known ?? '']
  })
  return Object.fromEntries(entries)
}
