/** What options are read as. Amounts are base units in decimal digits, and nothing else. */
import { InvalidArgumentError } from 'commander'
import { parseGwei, type Address } from 'viem'
import { lower } from '../base/read.ts'

/** @throws {InvalidArgumentError} which names the option */
export function units(text: string): bigint {
  if (!/^[0-9]{1,38}$/.test(text))
    throw new InvalidArgumentError('Use base units of the token: a whole number such as 500.')
  return BigInt(text)
}

/** At least 1. */
export function someUnits(text: string): bigint {
  const amount = units(text)
  if (amount === 0n) throw new InvalidArgumentError('Use at least 1 base unit.')
  return amount
}

export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value]
}

export function port(text: string): number {
  const number = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || number > 65_535)
    throw new InvalidArgumentError('Use a port from 0 to 65535; 0 takes a free one.')
  return number
}

/** A whole number from 1 up. */
export function countOf(text: string): number {
  const number = Number(text)
  if (!/^[0-9]{1,9}$/.test(text) || number < 1) throw new InvalidArgumentError('Use a whole number from 1 up.')
  return number
}

export function blockNumber(text: string): bigint {
  if (!/^[0-9]{1,18}$/.test(text)) throw new InvalidArgumentError('Use the number of a block, such as 12345678.')
  return BigInt(text)
}

/** Lower case. */
export function address(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('Use an address: 0x and 40 hex digits.')
  return lower(text as Address)
}

/** May be repeated, or have commas. */
export function addresses(text: string, earlier: readonly Address[] | undefined): Address[] {
  return [...(earlier ?? []), ...text.split(',').map((one) => address(one.trim()))]
}

export function byte(text: string): number {
  if (!/^[0-9]{1,3}$/.test(text) || Number(text) > 255) throw new InvalidArgumentError('Use a number from 0 to 255.')
  return Number(text)
}

/** Wei, from gwei with at most nine decimals. */
export function gwei(text: string): bigint {
  if (!/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text) || parseGwei(text) === 0n)
    throw new InvalidArgumentError('Use gwei, such as 20 or 0.05.')
  return parseGwei(text)
}

const MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds, from `90s`, `15m`, `12h` or `7d`. */
export function duration(text: string): number {
  const [, digits, unit] = /^([1-9][0-9]{0,5})([smhd])$/.exec(text) ?? []
  if (digits === undefined) throw new InvalidArgumentError('Use a time with its unit: 90s, 15m, 12h or 7d.')
  return Number(digits) * MS[unit as keyof typeof MS]
}

/** For options that take text: an empty environment variable is a mistake, not a value. */
export function given(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty. Leave it out, or say what it is.')
  return text
}

/** May be repeated, or have commas. */
export function list(text: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), ...text.split(',').map((one) => given(one).trim())]
}
