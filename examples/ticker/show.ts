/** One line that changes in a terminal; a line for each quote everywhere else. */
const BARS = '▁▂▃▄▅▆▇█'
const seen: number[] = []

export function show(body: string): void {
  const { quote, at } = JSON.parse(body) as { quote: string; at: string }
  if (!process.stdout.isTTY) {
    process.stdout.write(`${at} ${quote}\n`)
    return
  }
  seen.push(Number(quote))
  if (seen.length > 40) seen.shift()
  process.stdout.write(`\r\x1b[K${quote}  ${curve(seen)}`)
}

function curve(quotes: readonly number[]): string {
  const [least, most] = [Math.min(...quotes), Math.max(...quotes)]
  const step = (most - least) / (BARS.length - 1) || 1
  return quotes.map((quote) => BARS[Math.round((quote - least) / step)]).join('')
}
