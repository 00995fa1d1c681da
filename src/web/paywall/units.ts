/** Amounts as people read and write them. Base units are whole numbers of any size, and never become a float. */

/** Exact, without zeros at the end, with a comma between thousands. */
export function formatted(amount: bigint, decimals: number): string {
  const digits = `${amount}`.padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',')
  const part = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return part ? `${whole}.${part}` : whole
}

/** undefined: not an amount, or finer than the token can be divided. */
export function parsed(text: string, decimals: number): bigint | undefined {
  const [, whole = '', part = ''] = /^\s*(\d[\d,]{0,80})(?:\.(\d{1,77}))?\s*$/.exec(text) ?? []
  if (whole === '' || part.length > decimals) return undefined
  return BigInt(`${whole.replaceAll(',', '')}${part.padEnd(decimals, '0')}`)
}

/** An address that people can compare: its ends. */
export function short(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-6)}`
}
