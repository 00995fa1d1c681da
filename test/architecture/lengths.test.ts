/** A file is at most 250 lines, and 200 is the aim; a function is at most 40. Tests may be as long as they must. */
import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { filesIn, isGenerated, lineOf, parse, read, sources } from './sources.ts'

const MOST_IN_FILE = 250
const AIM = 200
const MOST_IN_FUNCTION = 40

const programs = [
  ...sources.filter((path) => !isGenerated(path)),
  ...filesIn('examples', '.ts'),
  ...filesIn('bin', '.mjs'),
  ...filesIn('bench', '.ts', '.mjs'),
]
const contracts = filesIn('contracts/src', '.sol')

describe('what people write', () => {
  it(`is in files of at most ${MOST_IN_FILE} lines`, async ({ annotate }) => {
    const long = [...programs, ...contracts].map((path) => ({ path, lines: linesOf(read(path)) }))
    // Shown by the verbose reporter.
    for (const { path, lines } of long) if (lines > AIM) await annotate(`${path} has ${lines} lines, the aim is ${AIM}`)
    expect(long.filter(({ lines }) => lines > MOST_IN_FILE)).toEqual([])
  })

  it(`is in functions of at most ${MOST_IN_FUNCTION} lines`, () => {
    const functions = [...programs.flatMap(functionsOf), ...contracts.flatMap(solidityFunctionsOf)]
    expect(functions.length).toBeGreaterThan(500)
    expect(functions.filter(({ lines }) => lines > MOST_IN_FUNCTION)).toEqual([])
  })
})

type Measured = { readonly at: string; readonly name: string; readonly lines: number }

/** From the first word of its signature to its last brace; functions inside it count as a part of it. */
function functionsOf(path: string): Measured[] {
  const file = parse(path)
  const found: Measured[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const start = node.getStart(file)
      const text = file.text.slice(start, node.end)
      found.push({ at: `${path}:${lineOf(file.text, start)}`, name: nameOf(node, file), lines: linesOf(text) })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function nameOf(node: ts.Node, file: ts.SourceFile): string {
  const named = [node, node.parent].find((one): one is ts.NamedDeclaration => 'name' in one && one.name !== undefined)
  return named?.name?.getText(file) ?? 'a function without a name'
}

/** The formatter puts the last brace below the first letter. */
function solidityFunctionsOf(path: string): Measured[] {
  const text = read(path)
  return [
    ...text.matchAll(
      /^( {0,4})(function \w+|constructor|modifier \w+)[^;{]*\{[^]*?^\1\}|^ {4}(modifier \w+)[^;{]*\{.*\}$/gm,
    ),
  ].map((match) => ({
    at: `${path}:${lineOf(text, match.index)}`,
    name: match[2] ?? match[3] ?? '',
    lines: linesOf(match[0]),
  }))
}

function linesOf(text: string): number {
  return text.replace(/\n$/, '').split('\n').length
}
