#!/usr/bin/env node
/** Writes the gas table of docs/reference/contract.md from contracts/snapshots/GasTest.json. A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

const root = `${import.meta.dirname}/../`
const page = `${root}docs/reference/contract.md`

const gas = JSON.parse(readFileSync(`${root}contracts/snapshots/GasTest.json`, 'utf8'))
const rows = Object.entries(gas).map(([what, units]) => `| \`${what}\` | ${Number(units).toLocaleString('en')} |`)
const [before] = readFileSync(page, 'utf8').split('| Transaction')
const text = `${before}| Transaction | Gas |\n| --- | ---: |\n${rows.join('\n')}\n`
writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }))
