/** Progress goes to standard error, with the seconds since the start, so that standard output is what was asked for. */
export function say(line: string): void {
  process.stderr.write(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${line}\n`)
}
