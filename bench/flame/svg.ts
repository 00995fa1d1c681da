/** Draws a profile: who is called stands below who calls, and as wide as it takes time. */
import type { Frame, Kind } from './tree.ts'

const WIDTH = 1200
const ROW = 18
const LETTER = 6.1
const MARGIN = 24
/** Boxes narrower than this are not drawn, in pixels. */
const LEAST = 1.2

const colours: Readonly<Record<Kind, string>> = {
  ours: '#f2a65a',
  theirs: '#9cc5a1',
  node: '#b8c4d6',
  native: '#e07a6f',
  collector: '#d6c7e0',
}

const legend: Readonly<Record<Kind, string>> = {
  ours: 'src/',
  theirs: 'packages, and the handler',
  node: 'Node',
  native: 'native code',
  collector: 'garbage collector',
}

/** `microseconds` is what the whole width stands for. */
export function svgOf(root: Frame, title: string, microseconds: number): string {
  const boxes: string[] = []
  const depth = draw(root, 0, 0, WIDTH / root.total, root.total / microseconds, boxes)
  const height = MARGIN * 2 + (depth + 1) * ROW + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="10.5">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="4" y="15" font-size="12">${escaped(title)}</text>`,
    ...boxes,
    ...legendAt(height - 8),
    '</svg>\n',
  ].join('\n')
}

/** Returns the depth of the lowest row. `unit`: how much of the tree's time is one microsecond of a request. */
function draw(frame: Frame, x: number, row: number, scale: number, unit: number, boxes: string[]): number {
  const width = frame.total * scale
  if (width < LEAST) return row - 1
  const y = MARGIN + row * ROW
  const fits = Math.floor((width - 6) / LETTER)
  const text = fits >= 4 ? `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(cut(frame.name, fits))}</text>` : ''
  boxes.push(
    `<g><title>${escaped(frame.name)}: ${(frame.total / unit).toFixed(1)} µs</title>` +
      `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colours[frame.kind]}" stroke="#fff" stroke-width=".5"/>${text}</g>`,
  )
  let left = x
  let deepest = row
  for (const child of [...frame.children.values()].sort((a, b) => b.total - a.total)) {
    deepest = Math.max(deepest, draw(child, left, row + 1, scale, unit, boxes))
    left += child.total * scale
  }
  return deepest
}

function legendAt(y: number): string[] {
  return Object.entries(legend).map(([kind, text], index) => {
    const colour = Object.entries(colours).find(([name]) => name === kind)?.[1] ?? ''
    const x = 4 + index * 200
    return `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${colour}"/><text x="${x + 18}" y="${y}">${text}</text>`
  })
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
