/** Progress goes to standard error, so that standard output is what was asked for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
