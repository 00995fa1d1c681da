/** Everything that the command line writes. Results go to standard output, everything else to standard error. */

/** One line of a result. */
export function out(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One JSON object, on one line. Amounts are decimal strings. */
export function outJson(value: unknown): void {
  out(JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? `${member}` : member)))
}

/** A result: one JSON object where that was asked for, else these lines. */
export function report(json: boolean | undefined, value: unknown, ...lines: readonly string[]): void {
  if (json) outJson(value)
  else for (const line of lines) out(line)
}

/** A result's bytes, untouched. Resolves when they are handed over. */
export function outBytes(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

export function warn(line: string): void {
  process.stderr.write(`${line}\n`)
}

export type Say = (line: string) => void

/** What somebody who waits wants to know; nobody waits at a pipe. */
export function progress(verbose = false): Say {
  return verbose || process.stderr.isTTY ? (line) => warn(`* ${printable(line)}`) : () => undefined
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Strangers' words without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
}

/** `0x48164f75…`: enough to know it again, and to name it to a command. */
export function short(hex: string): string {
  return `${hex.slice(0, 10)}…`
}
