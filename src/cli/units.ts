/** Amounts on the command line: base units in decimal digits, and nothing else. */
import { InvalidArgumentError } from 'commander'

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
