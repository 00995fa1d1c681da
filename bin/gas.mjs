#!/usr/bin/env node
/**
 * What transactions cost, measured on a node. `npm run gas` runs it.
 *
 *     npm run gas               measure, and print tables, beside the peers
 *     npm run gas -- --json     measure, and print one JSON object: gas by contract and transaction
 *     npm run gas -- --write    measure, and write contracts/snapshots/node.json and the tables of the reference
 *
 * One table of docs/reference/contract.md comes from contracts/snapshots/GasTest.json, which forge writes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { measure } from './gas.measure.mts'

const root = `${import.meta.dirname}/../`
const { gas, parts } = await measure()
const { ChannelEscrow, RaidenChannels, ...peers } = gas
const [original, batch] = Object.values(peers)
const columns = ['Transaction', 'Gas', ...Object.keys(peers)]

if (process.argv.includes('--json')) console.log(JSON.stringify(gas))
else if (process.argv.includes('--write')) await write()
else print()

function print() {
  show('ChannelEscrow, x402 batch settlement', rowsOf(ChannelEscrow, batch))
  show('RaidenChannels, µRaiden 0.2, below it', comparedRows())
  show(`What the deposits of RaidenChannels consist of: ${partNames().join(', ')}`, partRows())
  show('A whole life: opened, settled once, closed', lifeRows())
}

function show(title, rows) {
  const width = Math.max(...rows.map(([what]) => what.length)) + 2
  const lines = rows.map(
    ([what, ...cells]) => `  ${what.padEnd(width)}${cells.map((cell) => cell.padStart(9)).join('')}`,
  )
  console.log(`\n${title}\n${lines.join('\n')}`)
}

async function write() {
  writeFileSync(`${root}contracts/snapshots/node.json`, `${JSON.stringify(gas, null, 2)}\n`)
  const forge = JSON.parse(readFileSync(`${root}contracts/snapshots/GasTest.json`, 'utf8'))
  await replaceTable('contract.md', 'Gas', table(['Transaction', 'Gas'], rowsOf(forge)))
  await replaceTable(
    'contract.md',
    'Gas on a node',
    table([columns[0], columns[1], columns[3]], rowsOf(ChannelEscrow, batch)),
  )
  await replaceTable('contract.md', 'Gas of a whole life', table(['Escrow', 'Gas'], lifeRows()))
  await replaceTable(
    'raiden-channels.md',
    'Gas',
    table(['Transaction', 'Gas', 'The original', 'Below it'], comparedRows()),
  )
  await replaceTable(
    'raiden-channels.md',
    'What deposits consist of',
    table(['Transaction', ...partNames()], partRows()),
  )
}

/** The rows of a table: a name, its figure, and its figure in each of the others, if it is there. */
function rowsOf(figures, ...others) {
  return Object.keys(figures).map((what) => [what, ...[figures, ...others].map((one) => readable(one[what]))])
}

/** With how much less it is than the original. */
function comparedRows() {
  return rowsOf(RaidenChannels, original).map(([what, ...units]) => {
    const saved = 1 - RaidenChannels[what] / original[what]
    return [what, ...units, `${(100 * saved).toFixed(1)} %`]
  })
}

function partNames() {
  return [
    'Start',
    'Storage',
    'Events',
    'Calls',
    'Given back',
    'Without computing',
    '15 % below',
    'Our computing',
    'The token’s',
  ]
}

function partRows() {
  return Object.entries(parts).map(([what, { start, storage, events, calls, refund, computing, computingOfToken }]) => {
    const fixed = [start, storage, events, calls, refund]
    const least = fixed.reduce((sum, one) => sum + one)
    return [what, ...[...fixed, least, Math.floor(0.85 * original[what]), computing, computingOfToken].map(readable)]
  })
}

/** Lowest first. */
function lifeRows() {
  return Object.entries(gas)
    .map(([contract, { life }]) => [contract, life])
    .sort(([, one], [, other]) => one - other)
    .map(([contract, life]) => [contract, readable(life)])
}

function readable(units) {
  return units === undefined ? '' : Number(units).toLocaleString('en')
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
  const start = text.search(new RegExp(`\\n##+ ${heading}\\n`))
  const [old] = /^(\|.*\n)+/m.exec(text.slice(start)) ?? []
  if (start < 0 || !old) throw new Error(`${page} has no table under "${heading}".`)
  const changed = text.slice(0, start) + text.slice(start).replace(old, () => `${rows}\n`)
  writeFileSync(path, await format(changed, { ...(await resolveConfig(path)), filepath: path }))
}
