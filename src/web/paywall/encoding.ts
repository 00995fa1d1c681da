/** Calls and answers of contracts, as hex: the few forms that the page needs. */
import type { Address, Hex } from 'viem'
import { MalformedPaymentError } from '../../base/errors.ts'
import { lower } from '../../base/read.ts'

/** `selector`: 0x and 8 hex digits. `words`: 64 hex digits each. */
export function callData(selector: Hex, ...words: readonly string[]): Hex {
  return `${selector}${words.join('')}`
}

export function word(value: bigint | Address): string {
  return BigInt(value).toString(16).padStart(64, '0')
}

/** Dynamic bytes: length, then the bytes in whole words. */
export function tail(bytes: Hex): string {
  const digits = bytes.slice(2)
  return `${word(BigInt(digits.length / 2))}${digits.padEnd(Math.ceil(digits.length / 64) * 64, '0')}`
}

/** @throws {MalformedPaymentError} if the answer is shorter */
export function uintAt(answer: string, index: number): bigint {
  const digits = answer.slice(2 + 64 * index, 66 + 64 * index)
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) throw new MalformedPaymentError('answer of the contract', 'is too short')
  return BigInt(`0x${digits}`)
}

/** Lower case. @throws {MalformedPaymentError} */
export function addressAt(answer: string, index: number): Address {
  return addressIn(uintAt(answer, index))
}

export function addressIn(value: bigint): Address {
  return lower(`0x${value.toString(16).padStart(40, '0').slice(-40)}`)
}

/** A string, or 32 bytes with one in it, as the first tokens had. Only what can be printed is kept. */
export function textIn(answer: string): string {
  const isDynamic = answer.length > 66 && uintAt(answer, 0) === 32n
  const length = isDynamic ? Number(uintAt(answer, 1) % 65n) : 32
  const digits = answer.slice(isDynamic ? 130 : 2).slice(0, 2 * length)
  const bytes = digits.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? []
  return new TextDecoder().decode(new Uint8Array(bytes)).replace(/[^\p{L}\p{N}\p{S}.\-_]/gu, '')
}
