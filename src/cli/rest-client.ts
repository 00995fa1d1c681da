/** Asks the REST interface of a server. Every number comes as a string of its digits, so that none is lost. */
import { ChainUnavailableError, ConfigError } from '../base/faults.ts'
import * as read from '../base/read.ts'
import { quoteNumbers } from '../gateway/json.ts'
import { printable } from './print.ts'
import { reachingFetch } from './request.ts'
import { isLoopback } from './running.ts'

export type Login = { readonly name: string; readonly password: string }

export type RestClient = {
  /** Where it is, without a slash at the end. */
  readonly url: string
  ask(method: 'GET' | 'POST', path: string): Promise<unknown>
}

/**
 * @param address of the server, or of its interface if that is not at `/api/1`
 * @throws {ConfigError} for what is no such URL, and for one over which a password could be read
 */
export function createRestClient(address: string, field: string, login?: Login): RestClient {
  const text = /^https?:\/\//i.test(address) ? address : `http://${address}`
  if (!URL.canParse(text)) throw new ConfigError(field, `${printable(address)} is not a URL`)
  const { origin, pathname, protocol } = new URL(text)
  if (login && protocol !== 'https:' && !isLoopback(new URL(text))) {
    throw new ConfigError(
      field,
      'is not https:, so the password could be read on its way. Use https:, or run this where the server runs',
    )
  }
  const url = `${origin}${pathname === '/' ? '/api/1' : pathname.replace(/\/+$/, '')}`
  const headers = new Headers({ Accept: 'application/json' })
  if (login) headers.set('Authorization', `Basic ${Buffer.from(`${login.name}:${login.password}`).toString('base64')}`)
  return {
    url,
    async ask(method, path) {
      const response = await reachingFetch(`${url}${path}`, { method, headers, redirect: 'manual' })
      const body = await response.text()
      if (!response.ok) throw refusal(response.status, detailIn(body), url, field)
      return valueIn(body, url, field)
    },
  }
}

function refusal(status: number, detail: string, url: string, field: string): Error {
  if (status === 401) return new ConfigError('--user', detail || 'is not known there, or the password is another')
  if (status === 404)
    return new ConfigError(field, `there is no REST interface at ${url}. Name the server, or where its interface is`)
  if (status === 503 || status === 504) return new ChainUnavailableError(`${url} cannot do it now: ${detail}`)
  return new ConfigError(field, `${url} answered ${status}. ${detail}`.trim())
}

function detailIn(body: string): string {
  try {
    const detail = read.member(read.jsonObject(body, 'answer'), 'detail')
    return typeof detail === 'string' ? printable(detail).slice(0, 500) : ''
  } catch {
    return ''
  }
}

function valueIn(body: string, url: string, field: string): unknown {
  try {
    return JSON.parse(quoteNumbers(body))
  } catch {
    throw new ConfigError(field, `${url} did not answer with JSON. Is it the REST interface of a receiver?`)
  }
}
