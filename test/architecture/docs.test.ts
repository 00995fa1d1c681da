/** What the pages show works: their code compiles, their links lead somewhere, their commands and files exist. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { anchorsOf, blocksOf, pages, proseOf } from './pages.ts'
import { entryPoints, read, resolveFrom, root } from './sources.ts'

describe('the code in the pages', () => {
  it('compiles against the package', { timeout: 120_000 }, () => {
    const programs = new Map(pages.flatMap((page) => programsOf(page)))
    expect(programs.size).toBeGreaterThan(10)
    expect(compile(programs)).toEqual([])
  })

  it('is marked with its language', () => {
    const unmarked = pages.flatMap((page) =>
      blocksOf(page)
        .filter(
          ({ language }) =>
            !['ts', 'sh', 'json', 'text', 'http', 'html', 'yaml', 'diff', 'solidity'].includes(language),
        )
        .map(({ line }) => `${page}:${line}`),
    )
    expect(unmarked).toEqual([])
  })
})

describe('what the pages point to', () => {
  it('is there, when they link to it', () => {
    const dead = pages.flatMap((page) =>
      proseOf(page).flatMap((line, index) =>
        [...line.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
          .filter(([, path = '', anchor]) => !leadsSomewhere(page, path, anchor))
          .map(([link]) => `${page}:${index + 1} ${link}`),
      ),
    )
    expect(dead).toEqual([])
  })

  it('is there, when they name a file of the repository', () => {
    const folders = /^(src|test|docs|contracts|examples|bin|\.ci)\/[\w./-]*$/
    const missing = pages.flatMap((page) =>
      proseOf(page).flatMap((line, index) =>
        [...line.matchAll(/`([^`]+)`/g)]
          .filter(([, name = '']) => folders.test(name) && !existsSync(join(root, name)))
          .map(([name]) => `${page}:${index + 1} ${name}`),
      ),
    )
    expect(missing).toEqual([])
  })

  it('can be run, when they name a script', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm run ([\w:-]+)/g)].flatMap(([command, name = '']) =>
        name in scripts ? [] : [`${page}: ${command}`],
      ),
    )
    expect(missing).toEqual([])
  })
})

describe('a page of docs/', () => {
  const kinds = { tutorial: 'Tutorial', 'how-to': 'How-to', reference: 'Reference', explanation: 'Explanation' }

  it('says below its title which of the four kinds it is', () => {
    const silent = pages.filter((page) => {
      const [, folder = ''] = /^docs\/([\w-]+)\//.exec(page) ?? []
      const kind = folder in kinds ? kinds[folder as keyof typeof kinds] : kinds.reference
      return page.startsWith('docs/') && !new RegExp(`^# .+\n\n_${kind}\\b[^\n]*_\n`).test(read(page))
    })
    expect(silent).toEqual([])
  })

  it('can be found from the README', () => {
    const reached = new Set(['README.md'])
    for (const page of reached) {
      for (const [, path = ''] of proseOf(page)
        .join('\n')
        .matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g)) {
        const target = resolveFrom(page, path)
        if (existsSync(join(root, target))) reached.add(target)
      }
    }
    expect(pages.filter((page) => !reached.has(page))).toEqual([])
  })
})

function leadsSomewhere(page: string, path: string, anchor: string | undefined): boolean {
  const target = path === '' ? page : resolveFrom(page, path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(anchor)
}

/**
 * The TypeScript of a page. A block that begins with an import is a program of its own; any other one goes on with
 * the block before it. Each keeps its lines, so that an error is where the page has it.
 */
function programsOf(page: string): [name: string, text: string][] {
  const height = read(page).split('\n').length
  const programs: string[][] = []
  for (const { language, line, lines } of blocksOf(page)) {
    if (language !== 'ts') continue
    const first = lines.find((text) => text.trim() !== '' && !text.trim().startsWith('//'))
    if (programs.length === 0 || first?.trim().startsWith('import ')) programs.push(Array<string>(height).fill(''))
    programs.at(-1)?.splice(line, lines.length, ...lines)
  }
  return programs.map((lines, index) => [`${page}.${index}.ts`, `${lines.join('\n')}\nexport {}\n`])
}

/** Checks all programs at once. They see the package as its users do: by the names that package.json exports. */
function compile(programs: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const paths = Object.fromEntries([...entryPoints()].map(([name, path]) => [name, [join(root, path)]]))
  const settings = { ...options, paths, noUnusedLocals: false, noUnusedParameters: false }
  const virtual = new Map([...programs].map(([name, text]) => [join(root, name), text]))
  const disk = ts.createCompilerHost(settings)
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => virtual.has(path) || disk.fileExists(path),
    getSourceFile: (path, target, ...rest) => {
      const text = virtual.get(path)
      return text === undefined ? disk.getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target)
    },
  }
  const program = ts.createProgram([...virtual.keys()], settings, host)
  return [...virtual.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(textOf)
  })
}

function textOf({ file, start = 0, messageText }: ts.Diagnostic): string {
  const place = file?.getLineAndCharacterOfPosition(start)
  const page = file?.fileName.slice(root.length).replace(/\.\d+\.ts$/, '')
  return `${page}:${(place?.line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
}
