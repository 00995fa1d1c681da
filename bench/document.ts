/** Writes the figures into docs/explanation/performance.md, and the picture beside it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { engineName } from '../src/base/secp256k1.ts'
import type { Flame } from './flame/main.ts'
import { median } from './measure.ts'
import { aimsOf, type Figures } from './report.ts'

type Row = readonly string[]

/** `root` is that of the repository. @throws if the page has no table below one of the headings */
export function writeDocument(root: string, figures: Figures, { svg, places }: Flame): void {
  const page = join(root, 'docs/explanation/performance.md')
  const tables: Readonly<Record<string, readonly Row[]>> = {
    'What is to be reached': aimsOf(figures).map(({ what, says, value, aim }) => [says, `\`${what}\``, value, aim]),
    'Servers, beside each other': serversOf(figures),
    'One payment, part by part': partsOf(figures),
    'Where the time goes': places.filter(([, us]) => us >= 0.05).map(([place, us]) => [place, us.toFixed(1)]),
    'Strangers at the door': strangersOf(figures),
    'How it was measured': machineOf(figures),
  }
  let text = readFileSync(page, 'utf8')
  for (const [heading, rows] of Object.entries(tables)) if (rows.length > 0) text = replaced(text, heading, rows)
  writeFileSync(page, text)
  writeFileSync(join(root, 'docs/explanation/hot-path.svg'), svg)
}

/** Puts `rows` below the head of the first table after `heading`, in the form that the formatter leaves alone. */
function replaced(text: string, heading: string, rows: readonly Row[]): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'))
  const head = lines.findIndex((line, index) => index > start && line.startsWith('|'))
  if (start < 0 || head < 0) throw new Error(`the page has no table below "${heading}"`)
  const length = lines.slice(head).findIndex((line) => !line.startsWith('|'))
  const titles = (lines[head] ?? '').split('|').slice(1, -1)
  const all = [titles.map((title) => title.trim()), ...rows]
  const widths = titles.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)))
  const written = all.map((row) => lineOf(widths.map((width, column) => padded(row[column] ?? '', width, column))))
  const rule = lineOf(widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)))
  lines.splice(head, length, written[0] ?? '', rule, ...written.slice(1))
  return lines.join('\n')
}

function padded(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function serversOf({ paid }: Figures): Row[] {
  return [...(paid ?? [])].map(([name, rounds]) => {
    const cpu = median(rounds.map(({ cpuUs }) => cpuUs))
    return [name, cpu.toFixed(cpu < 1000 ? 1 : 0), median(rounds.map(({ perSecond }) => perSecond)).toFixed(0)]
  })
}

function partsOf({ inProcess }: Figures): Row[] {
  if (!inProcess) return []
  const { rdn, payment } = inProcess
  const rows = Object.entries(rdn.parts).map(([part, us]) => [
    part,
    us.toFixed(1),
    (payment.parts[part] ?? 0).toFixed(1),
  ])
  return [...rows, ['one recovery, beside it', rdn.recoverUs.toFixed(1), payment.recoverUs.toFixed(1)]]
}

function strangersOf({ door }: Figures): Row[] {
  return Object.entries(door ?? {}).map(([kind, { perSecond, alone, crowded, writes, chainCalls }]) => [
    kind,
    perSecond.toFixed(0),
    alone.p99.toFixed(2),
    crowded.p99.toFixed(2),
    `${writes}`,
    `${chainCalls}`,
  ])
}

function machineOf({ options, idle }: Figures): Row[] {
  return [
    ['Machine', `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, ${process.platform}`],
    ['Node', process.version],
    ['Signature engine', engineName],
    ['Rounds', `${options.rounds} of ${options.seconds} s for each server, in turns`],
    ['Channels in the large store', `${idle?.channels ?? options.channels}`],
  ]
}
