/** A recording of a terminal, in the format of asciinema: a line of JSON about it, then one for each output. */
export type Output = { readonly atSeconds: number; readonly text: string }

/** @see https://docs.asciinema.org/manual/asciicast/v2/ */
export function partsOf(recording: string, seconds: number): Output[][] {
  const [, ...lines] = recording.trim().split('\n')
  const parts: Output[][] = []
  for (const line of lines) {
    const [atSeconds, , text] = JSON.parse(line) as [number, string, string]
    const part = (parts[Math.floor(atSeconds / seconds)] ??= [])
    part.push({ atSeconds, text })
  }
  return parts
}
