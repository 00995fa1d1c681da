/** The pages that people read, taken apart. */
import { filesIn, read } from './sources.ts'

export const pages = [
  'README.md',
  'AGENTS.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...filesIn('docs', '.md'),
]

/** A fenced block. `line` is that of its first line in the page, from 0. */
export type Block = { readonly language: string; readonly line: number; readonly lines: readonly string[] }

export function blocksOf(page: string): Block[] {
  return fencesOf(read(page).split('\n')).map(({ from, to, lines }) => ({
    language: lines[from]?.replace(/^\s*```/, '').trim() ?? '',
    line: from + 1,
    lines: lines.slice(from + 1, to),
  }))
}

/** The page without its blocks, line by line. */
export function proseOf(page: string): string[] {
  const lines = read(page).split('\n')
  for (const { from, to } of fencesOf(lines)) lines.fill('', from, to + 1)
  return lines
}

/** How a heading is linked to. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const slugs = proseOf(page).flatMap((line) => {
    const [, title] = /^#{1,6} (.*)$/.exec(line) ?? []
    if (title === undefined) return []
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return [before === 0 ? slug : `${slug}-${before}`]
  })
  return new Set(slugs)
}

/** The rows of every table below a heading, without their head; cells as they are written. */
export function tableBelow(page: string, heading: string): string[][] {
  const lines = proseOf(page)
  const start = lines.findIndex((line) => /^#{1,6} /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start < 0) throw new Error(`${page} has no heading "${heading}"`)
  const length = lines.slice(start + 1).findIndex((line) => /^#{1,6} /.test(line))
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length)
  const rows = section.filter((line) => line.startsWith('|')).map(cellsOf)
  return rows.slice(rows.findIndex(([cell]) => /^:?-+:?$/.test(cell ?? '')) + 1)
}

function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function fencesOf(lines: string[]): { from: number; to: number; lines: string[] }[] {
  const marks = lines.flatMap((line, index) => (/^\s*```/.test(line) ? [index] : []))
  return marks.flatMap((from, index) => {
    const to = marks[index + 1]
    return index % 2 === 0 && to !== undefined ? [{ from, to, lines }] : []
  })
}
