#!/usr/bin/env node
/**
 * What transactions cost, measured on a node. `npm run gas` runs it.
 *
 *     npm run gas               measure, and print tables
 *     npm run gas -- --json     measure, and print one JSON object
 *     npm run gas -- --write    measure, and write contracts/snapshots/node.json and the tables of the reference
 *
 * The other table of docs/reference/contract.md comes from contracts/snapshots/GasTest.json, which forge writes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { measure } from './gas.measure.mts'
import { original } from './gas.raiden.mts'

const root = `${import.meta.dirname}/../`
const measured = await measure()

if (process.argv.includes('--json')) console.log(JSON.stringify(measured))
else if (process.argv.includes('--write')) await write()
else print()

function print() {
  const { ChannelEscrow, RaidenChannels } = measured
  console.log(`\nChannelEscrow\n${lines(rowsOf(ChannelEscrow))}`)
  console.log(`\nRaidenChannels${' '.repeat(19)}the original\n${lines(rowsOf(RaidenChannels, original))}`)
}

function lines(rows) {
  return rows
    .map(([what, ...units]) => `  ${what.padEnd(22)}${units.map((one) => one.padStart(9)).join('')}`)
    .join('\n')
}

async function write() {
  writeFileSync(`${root}contracts/snapshots/node.json`, `${JSON.stringify(measured, null, 2)}\n`)
  const { ChannelEscrow, RaidenChannels } = measured
  const forge = JSON.parse(readFileSync(`${root}contracts/snapshots/GasTest.json`, 'utf8'))
  await replaceTable('contract.md', 'Gas', table(['Transaction', 'Gas'], rowsOf(forge)))
  await replaceTable('contract.md', 'Gas on a node', table(['Transaction', 'Gas'], rowsOf(ChannelEscrow)))
  const columns = ['Transaction', 'Gas', 'The original']
  await replaceTable('raiden-channels.md', 'Gas', table(columns, rowsOf(RaidenChannels, original)))
}

/** The rows of a table: a name, its figure, and its figure in each of the others. */
function rowsOf(figures, ...others) {
  return Object.keys(figures).map((what) => [what, ...[figures, ...others].map((one) => readable(one[what]))])
}

function readable(units) {
  return Number(units).toLocaleString('en')
}

function table(columns, rows) {
  const cells = rows.map(([what, ...units]) => [`\`${what}\``, ...units])
  const marks = columns.map((_, index) => (index === 0 ? '---' : '---:'))
  return [columns, marks, ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Puts a table in the place of the first one under a heading. */
async function replaceTable(page, heading, rows) {
  const path = `${root}docs/reference/${page}`
  const text = readFileSync(path, 'utf8')
  const start = text.indexOf(`\n## ${heading}\n`)
  const [old] = /^(\|.*\n)+/m.exec(text.slice(start)) ?? []
  if (start < 0 || !old) throw new Error(`${page} has no table under "${heading}".`)
  const changed = text.slice(0, start) + text.slice(start).replace(old, () => `${rows}\n`)
  writeFileSync(path, await format(changed, { ...(await resolveConfig(path)), filepath: path }))
}
