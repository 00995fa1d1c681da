/** docs/reference/cli.md names all there is, and nothing else. */
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { exitCodes, exitHelp } from '../../src/cli/exit.ts'
import { goods } from '../../src/cli/dev/resources.ts'
import { createProgram } from '../../src/cli/program.ts'
import { tableBelow } from '../architecture/pages.ts'
import { read } from '../architecture/sources.ts'

const page = 'docs/reference/cli.md'
const plain = (cell = '') => cell.replaceAll('`', '')

/** Commands that do something, by name; the default of a group has the group's name. */
function commandsOf(command: Command, path: string): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path, command }]
  return command.commands.flatMap((inner) =>
    commandsOf(inner, inner.name() === 'list' ? path : `${path} ${inner.name()}`),
  )
}
const commands = commandsOf(createProgram(), 'farthing')

describe(page, () => {
  it('lists every command', () => {
    const listed = [...read(page).matchAll(/^\| \[`(farthing [\w- ]+)`\]/gm)].map(([, name]) => name)
    expect(listed.sort()).toEqual(commands.map(({ path }) => path).sort())
  })

  it.each(commands)('names every option of $path, and no other', ({ path, command }) => {
    const rows = tableBelow(page, path).map(([name]) => plain(name))
    expect(rows.sort()).toEqual(command.options.map(({ long }) => long ?? '').sort())
  })

  it('gives the short names of get', () => {
    const rows = tableBelow(page, 'farthing get').map(([name, short]) => [plain(name), plain(short)])
    const { command } = commands.find(({ path }) => path === 'farthing get')!
    expect(rows).toEqual(command.options.map(({ long, short }) => [long, short ?? '']))
  })

  it.each(commands)('gives the environment variable of every option of $path', ({ path, command }) => {
    const named = command.options.filter(({ envVar }) => envVar !== undefined)
    if (named.length === 0) return
    const rows = tableBelow(page, path).map(([name, variable]) => [plain(name), plain(variable)])
    const options = command.options.map(({ long, envVar }) => [long, envVar ?? ''])
    expect(rows.sort()).toEqual(options.sort())
  })

  it('gives every exit code, and so does the help', () => {
    const codes = Object.values(exitCodes).map(String)
    expect(tableBelow(page, 'Exit codes').map(([code]) => code)).toEqual(codes)
    for (const code of codes.filter((code) => code !== '22')) expect(exitHelp).toMatch(new RegExp(`^  ${code} `, 'm'))
  })

  it('says what farthing dev sells', () => {
    for (const { path, price } of goods) {
      expect(read(page)).toMatch(new RegExp(`\\| \`GET ${path}\` +\\| ${price} +\\|`))
    }
  })
})
