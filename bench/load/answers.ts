/** Reads HTTP/1.1 answers off a socket: as little as is needed to know their status and where they end. */

export type Answer = { readonly status: number; readonly text: string }

/** Call it with every chunk; it tells each whole answer. */
export function answerReader(onAnswer: (answer: Answer) => void): (chunk: Buffer) => void {
  let rest = ''
  return (chunk) => {
    rest += chunk.toString('latin1')
    for (let end = endOf(rest); end > 0; end = endOf(rest)) {
      const text = rest.slice(0, end)
      rest = rest.slice(end)
      onAnswer({ status: Number(text.slice(9, 12)), text })
    }
  }
}

/** Where the first answer ends, 0 if it is not whole. */
function endOf(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return 0
  const body = head + 4
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head)) ?? []
  if (length !== undefined) return text.length >= body + Number(length) ? body + Number(length) : 0
  if (text.startsWith('204', 9)) return body
  const last = text.indexOf('0\r\n\r\n', body)
  return last < 0 ? 0 : last + 5
}
