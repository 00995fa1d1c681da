/** The files of this repository, as the architecture tests see them. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Files below `folder` whose names end so: paths from the root with `/`, sorted. None if there is no such folder. */
export function filesIn(folder: string, ...ends: readonly string[]): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ends.some((end) => entry.name.endsWith(end)))
      .map((entry) => pathOf(join(entry.parentPath, entry.name)))
      .filter((path) => !/(^|\/)(node_modules|dist|out|cache)\//.test(path))
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** What is written by a program from something else is not for people to keep short. */
export function isGenerated(path: string): boolean {
  return path.startsWith('src/escrow/abi/')
}

/** Every file of src/ that ships. */
export const sources = filesIn('src', '.ts', '.tsx').filter((path) => !path.endsWith('.test.ts'))

const parsed = new Map<string, ts.SourceFile>()

export function parse(path: string): ts.SourceFile {
  const file = parsed.get(path) ?? ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)
  parsed.set(path, file)
  return file
}

export type Import = {
  /** A path from the root, or the name of a package. */
  readonly to: string
  /** Nothing of it is left at run time. */
  readonly typesOnly: boolean
  readonly reexport: boolean
  /** The names that are imported one by one. */
  readonly names: readonly string[]
  readonly line: number
}

/** What a file imports or exports again, with `import()` and `import('…').Type` too. */
export function importsOf(path: string): Import[] {
  const file = parse(path)
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typesOnly: boolean, reexport = false, names: readonly string[] = []) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return
    const to = specifier.text.startsWith('.') ? resolveFrom(path, specifier.text) : specifier.text
    found.push({ to, typesOnly, reexport, names, line: lineOf(file.text, specifier.getStart()) })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause
      add(
        node.moduleSpecifier,
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
        false,
        namesIn(clause?.namedBindings),
      )
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, true)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function namesIn(bindings: ts.NamedImportBindings | undefined): string[] {
  return bindings && ts.isNamedImports(bindings)
    ? bindings.elements.map((element) => (element.propertyName ?? element.name).text)
    : []
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** A link or an import as it stands in `path`, as a path from the root. */
export function resolveFrom(path: string, target: string): string {
  return normalize(join(dirname(path), target)).replaceAll('\\', '/')
}

/** The files that users of the package import, by the name they import. */
export function entryPoints(): ReadonlyMap<string, string> {
  const { name, exports } = JSON.parse(read('package.json')) as { name: string; exports: Record<string, string> }
  return new Map(
    Object.entries(exports).map(([as, file]) => [
      name + as.slice(1),
      file.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'),
    ]),
  )
}

function pathOf(absolute: string): string {
  return absolute.slice(root.length).replaceAll('\\', '/')
}
