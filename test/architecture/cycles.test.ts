/** No file of src/ can be reached from itself. Imports of types count: the worst knots start with them. */
import { expect, it } from 'vitest'
import { importsOf, sources } from './sources.ts'

it('no import leads back to where it started', () => {
  const graph = new Map(sources.map((path) => [path, importsOf(path).map(({ to }) => to)]))
  expect(cyclesIn(graph)).toEqual([])
})

it('a cycle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['a']],
    ['d', []],
  ])
  expect(cyclesIn(graph)).toEqual(['a > b > c > a'])
})

/** One cycle for each import that closes one. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (node: string, way: readonly string[]): void => {
    if (way.includes(node)) {
      cycles.push([...way.slice(way.indexOf(node)), node].join(' > '))
      return
    }
    if (done.has(node)) return
    for (const next of graph.get(node) ?? []) walk(next, [...way, node])
    done.add(node)
  }
  for (const node of graph.keys()) walk(node, [])
  return cycles
}
