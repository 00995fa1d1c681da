/** A profile as a tree that people can read: what Node does inside is one box, and native code has its own name. */
import type { Profiler } from 'node:inspector'

export type Frame = {
  readonly name: string
  readonly kind: Kind
  /** Microseconds, its children included. */
  total: number
  /** Microseconds in itself. */
  self: number
  readonly children: Map<string, Frame>
}

/** `ours` is src/, `theirs` is a package, `native` is neither JavaScript nor Node. */
export type Kind = 'ours' | 'theirs' | 'node' | 'native' | 'collector'

type Node = Profiler.ProfileNode
type Label = { readonly name: string; readonly kind: Kind }

const leftOut = new Set(['(root)', '(idle)', '(program)'])

/** `idle` time and that of the profiler itself are left out. */
export function treeOf(profile: Profiler.Profile): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const times = new Map<number, number>()
  profile.samples?.forEach((id, index) => times.set(id, (times.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0)))
  const root = frameOf({ name: 'one paid request', kind: 'node' })
  const add = (node: Node, parent: Frame, path: readonly Frame[]) => {
    const label = labelOf(node, parent)
    const frame = label ? childOf(parent, label) : parent
    const line = label ? [...path, frame] : path
    const time = times.get(node.id) ?? 0
    if (!leftOut.has(node.callFrame.functionName)) {
      frame.self += time
      for (const one of line) one.total += time
    }
    for (const id of node.children ?? []) {
      const child = nodes.get(id)
      if (child && !child.callFrame.url.includes('inspector')) add(child, frame, line)
    }
  }
  const [first] = profile.nodes
  if (first) add(first, root, [root])
  return root
}

/** undefined: a part of the frame that it is called from. */
function labelOf({ callFrame: { functionName, url, lineNumber } }: Node, parent: Frame): Label | undefined {
  if (functionName === '(garbage collector)') return { name: 'garbage collector', kind: 'collector' }
  if (leftOut.has(functionName)) return undefined
  if (url === '') return nativeLabel(functionName, parent)
  if (url.startsWith('node:')) return parent.kind === 'node' ? undefined : { name: 'Node', kind: 'node' }
  if (url.startsWith('wasm:')) return { name: 'WebAssembly', kind: 'native' }
  const [, ours] = /farthing-bench-[^/]+\/(src\/.*)\.js$/.exec(url) ?? []
  const name = functionName === '' ? `line ${lineNumber + 1}` : functionName
  if (url.includes('/bench/')) return { name: 'the handler', kind: 'theirs' }
  if (ours !== undefined) return { name: `${name} ${ours}.ts`, kind: 'ours' }
  const [, theirs] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  return { name: `${name} ${theirs ?? url}`, kind: 'theirs' }
}

/** V8 calls all functions of native addons by the name of one of them. Who calls them says what they are. */
function nativeLabel(functionName: string, parent: Frame): Label | undefined {
  if (parent.name.endsWith(' secp256k1')) return { name: 'libsecp256k1', kind: 'native' }
  if (parent.name.includes('src/store/')) return { name: 'SQLite and the disk', kind: 'native' }
  if (functionName.startsWith('write') && parent.kind === 'node') return { name: 'the socket', kind: 'native' }
  return parent.kind === 'node' ? undefined : { name: functionName, kind: 'node' }
}

function childOf(parent: Frame, label: Label): Frame {
  const known = parent.children.get(label.name)
  if (known) return known
  const frame = frameOf(label)
  parent.children.set(label.name, frame)
  return frame
}

function frameOf({ name, kind }: Label): Frame {
  return { name, kind, total: 0, self: 0, children: new Map() }
}

/** Every frame below, with itself. */
export function framesOf(frame: Frame): Frame[] {
  return [frame, ...[...frame.children.values()].flatMap(framesOf)]
}
