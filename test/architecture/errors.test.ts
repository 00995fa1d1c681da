/** Every way to fail has one class, one heading in docs/errors.md, and one line in every dialect that can say it. */
import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { payment, rdn } from '../../src/rails.ts'
import { importsOf, parse, read } from './sources.ts'

/** Every dialect that can be had, as it is exported. */
const dialects = { payment: payment(), rdn: rdn() }

const refusals = classesOf('src/base/errors.ts')
const spending = classesOf('src/base/spending.ts')
const faults = [...classesOf('src/base/faults.ts'), ...classesOf('src/chain/errors.ts')]
const codes = refusals.map(({ code }) => code)

describe('docs/errors.md', () => {
  const page = read('docs/errors.md')

  it.each([
    ['Refusals', codes],
    ['Spending', spending.map(({ code }) => code)],
    ['Faults', faults.map(({ name }) => name)],
  ])('has one heading for each of the %s, and no other', (section, expected) => {
    expect(headingsBelow(page, section).sort()).toEqual([...expected].sort())
  })

  it('has no other sections', () => {
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(['Refusals', 'Spending', 'Faults'])
  })
})

describe('a code', () => {
  it.each([
    ['src/base/errors.ts', 'Code', refusals],
    ['src/base/spending.ts', 'SpendingCode', spending],
  ])('of %s has one class, and a class one code', (path, type, classes) => {
    expect(classes.map(({ code }) => code).sort()).toEqual(unionOf(path, type).sort())
  })

  it('is in kebab case and means one thing', () => {
    const all = [...codes, ...spending.map(({ code }) => code)]
    expect(all.filter((code) => !/^[a-z]+(-[a-z]+)*$/.test(code))).toEqual([])
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('the dialects', () => {
  it.each(Object.entries(dialects))('%s says every code, and no other', (_name, dialect) => {
    expect(Object.keys(dialect.refusals).sort()).toEqual([...codes].sort())
  })

  it('are all looked at here', () => {
    const exported = importsOf('src/rails.ts').filter(
      ({ to, typesOnly }) => to.startsWith('src/dialect/') && !typesOnly,
    )
    expect(exported.map(({ to }) => to.replace(/^src\/dialect\/(.*)\.ts$/, '$1'))).toEqual(Object.keys(dialects))
  })
})

/** The exported classes of a file that can be thrown, with the code that each of them has. */
function classesOf(path: string): { readonly name: string; readonly code: string }[] {
  const found: { name: string; code: string }[] = []
  parse(path).forEachChild((node) => {
    if (!ts.isClassDeclaration(node) || !node.name) return
    if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword)) return
    const member = node.members.find((one) => ts.isPropertyDeclaration(one) && one.name.getText() === 'code')
    const value = member && ts.isPropertyDeclaration(member) ? member.initializer : undefined
    found.push({ name: node.name.text, code: value && ts.isStringLiteral(value) ? value.text : '' })
  })
  return found
}

function unionOf(path: string, name: string): string[] {
  const found: string[] = []
  parse(path).forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node) || node.name.text !== name || !ts.isUnionTypeNode(node.type)) return
    for (const one of node.type.types)
      if (ts.isLiteralTypeNode(one) && ts.isStringLiteral(one.literal)) found.push(one.literal.text)
  })
  return found
}

function headingsBelow(page: string, section: string): string[] {
  const [, body = ''] = page.split(new RegExp(`^## ${section}$`, 'm'))
  const [until = ''] = body.split(/^## /m)
  return [...until.matchAll(/^### `(.*)`$/gm)].map(([, title]) => title ?? '')
}
