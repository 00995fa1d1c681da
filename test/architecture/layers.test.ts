/**
 * Who may import whom. An arrow may only point down:
 *
 *   shells      adapter  proxy  gateway  cli  web     translate; no rules of their own
 *   use cases   receiver  sender             never import each other
 *   I/O         store  chain                 never import each other
 *   plug-ins    dialect  escrow              pure; dialect may name the types of an escrow
 *   kernel      channel                      pure
 *   base                                     no domain
 */
import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { entryPoints, importsOf, parse, sources, type Import } from './sources.ts'

type May = 'x' | 't'
type Layer = keyof typeof table

/** x: may import, t: types only. Every layer may import itself. */
const table = {
  base: {},
  channel: { base: 'x' },
  escrow: { base: 'x', channel: 'x' },
  dialect: { base: 'x', channel: 'x', escrow: 't' },
  store: { base: 'x', channel: 'x' },
  chain: { base: 'x', channel: 'x', escrow: 'x' },
  receiver: { base: 'x', channel: 'x', escrow: 'x', dialect: 'x', store: 'x', chain: 'x' },
  sender: { base: 'x', channel: 'x', escrow: 'x', dialect: 'x', store: 'x', chain: 'x' },
  adapter: { base: 'x', receiver: 'x' },
  proxy: { base: 'x', receiver: 'x' },
  gateway: { base: 'x', channel: 'x', receiver: 'x', dialect: 'x', escrow: 'x' },
  cli: { base: 'x', channel: 'x', escrow: 'x', dialect: 'x', store: 'x', chain: 'x', receiver: 'x', sender: 'x' },
  web: { base: 'x', channel: 'x', escrow: 'x', dialect: 'x', sender: 'x' },
} as const satisfies Record<string, Partial<Record<string, May>>>

/** A shell may be built on another instead of translating the same thing a second time. */
const betweenShells: Partial<Record<Layer, readonly Layer[]>> = {
  proxy: ['adapter'],
  cli: ['adapter', 'proxy', 'gateway'],
}

/** Entry points that only list what others define. Whoever imports one imports from where that is defined. */
const isList = (path: string): boolean => /^src\/(index|rails)\.ts$/.test(path)

/** What in viem talks to a node. */
const talks =
  /^(create(Client|PublicClient|WalletClient|TestClient|Transport)|http|webSocket|ipc|fallback|custom|getHttpRpcClient|getWebSocketRpcClient)$/

const pure: readonly Layer[] = ['channel', 'escrow', 'dialect']
/** Computing is no I/O. */
const pureModules = new Set(['node:crypto'])
const impure = new Set(['process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console'])

const problems = (of: (path: string, layer: Layer) => readonly string[]): string[] =>
  sources.flatMap((path) => {
    const layer = layerOf(path)
    return layer ? of(path, layer) : []
  })

describe('every file of src/', () => {
  it('is in a layer, or is an entry point', () => {
    expect(sources.filter((path) => !layerOf(path) && !isList(path))).toEqual([])
  })

  it('imports only from the layers that its own may see', () => {
    expect(problems((path, layer) => importsOf(path).flatMap((one) => objection(path, layer, one)))).toEqual([])
  })

  it('defines something: only entry points are lists of what others define', () => {
    const entries = new Set(entryPoints().values())
    const wrong = sources.flatMap((path) =>
      importsOf(path)
        .filter(({ reexport }) => reexport && !entries.has(path))
        .map(({ to, line }) => `${path}:${line} ${to}`),
    )
    expect(wrong).toEqual([])
  })

  it('leaves talking to a node to chain/', () => {
    const wrong = sources.flatMap((path) =>
      importsOf(path)
        .filter(
          ({ to, names }) => layerOf(path) !== 'chain' && /^viem\b/.test(to) && names.some((name) => talks.test(name)),
        )
        .map(({ to, line }) => `${path}:${line} ${to}`),
    )
    expect(wrong).toEqual([])
  })

  it('imports what ships, and never a test', () => {
    const shipped = new Set(sources)
    const wrong = sources.flatMap((path) =>
      importsOf(path)
        .filter(({ to }) => /^(src|test|contracts|examples)\//.test(to) && !shipped.has(to))
        .map(({ to, line }) => `${path}:${line} ${to}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('the kernel, the escrows and the dialects', () => {
  it('do no I/O and have no clock', () => {
    expect(problems((path, layer) => (pure.includes(layer) ? impurities(path) : []))).toEqual([])
  })
})

function layerOf(path: string): Layer | undefined {
  const [, folder] = /^src\/([a-z]+)\//.exec(path) ?? []
  return folder !== undefined && folder in table ? (folder as Layer) : undefined
}

function objection(path: string, from: Layer, { to, typesOnly, line }: Import): string[] {
  if (isList(to)) {
    return importsOf(to).flatMap((one) =>
      objection(path, from, { ...one, typesOnly: typesOnly || one.typesOnly, line }),
    )
  }
  const layer = layerOf(to)
  if (!to.startsWith('src/') || layer === from) return []
  const may: May | undefined = layer && (table[from] as Partial<Record<Layer, May>>)[layer]
  if (may === 'x' || (may === 't' && typesOnly)) return []
  if (layer && betweenShells[from]?.includes(layer)) return []
  return [`${path}:${line} ${may === 't' ? 'may import types only from' : 'may not import'} ${to}`]
}

function impurities(path: string): string[] {
  const modules = importsOf(path).filter(({ to }) => to.startsWith('node:') && !pureModules.has(to))
  const file = parse(path)
  const found = modules.map(({ to, line }) => `${path}:${line} ${to}`)
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && impure.has(node.text) && !ts.isPropertyAccessExpression(node.parent))
      found.push(`${path} ${node.text}`)
    if (/^(Date\.now|new Date\(\)|Math\.random|performance\.now)$/.test(node.getText(file)))
      found.push(`${path} ${node.getText(file)}`)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

it.each(['src/receiver/index.ts', 'src/sender/index.ts', 'src/adapter/web.ts', 'src/store/memory.ts'])(
  '%s loads no database',
  (entry) => {
    const seen = new Set<string>()
    const walk = (path: string): void => {
      if (seen.has(path)) return
      seen.add(path)
      if (!path.startsWith('src/')) return
      for (const { to, typesOnly } of importsOf(path)) if (!typesOnly) walk(to)
    }
    walk(entry)
    expect([...seen].filter((path) => path.startsWith('src/')).length).toBeGreaterThan(3)
    expect([...seen].filter((path) => /sqlite/.test(path))).toEqual([])
  },
)
