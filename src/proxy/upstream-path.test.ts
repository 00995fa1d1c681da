import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBelow, locationFrom, pathOn, type Base } from './upstream-path.ts'

const bases: readonly Base[] = [
  { origin: 'https://example.com', path: '', strip: '' },
  { origin: 'https://example.com', path: '/base', strip: '' },
  { origin: 'http://example.com:8080', path: '/a/b', strip: '/api' },
  { origin: 'https://example.com', path: '', strip: '/api' },
]

/** What paths are made of, and what has led servers astray. */
const piece = fc.constantFrom(
  ...[
    '/',
    '/',
    '//',
    '\\',
    '.',
    '..',
    '...',
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%25',
    '%252e',
    '%00',
    '%0a',
    '%3b',
    ';',
    '%20',
  ],
  ...[
    'a',
    'api',
    '/api',
    'base',
    '@',
    ':',
    '?',
    '#',
    '=',
    '&',
    '%',
    '%zz',
    '%c0%ae',
    'http:',
    'evil.example',
    '\u00e9',
    ' ',
  ],
)
const target = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => `/api/${pieces.join('')}`),
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
)

/** How a careless server might see a path: decoded as often as it goes, with backslashes as slashes. */
function carelessly(path: string): string {
  let read = path
  for (let round = 0; round < 6; round++) {
    read = read.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
  return read.replaceAll('\\', '/').replace(/;[^/]*/g, '')
}

describe.each(bases)('$origin$path without $strip', (base) => {
  it('is the only place that a target leads to, however it is read', () => {
    let led = 0
    fc.assert(
      fc.property(target, (asked) => {
        const there = pathOn(base, asked)
        if (there === undefined) return
        led++
        const [path = '', ...query] = there.split('?')
        expect(path.startsWith('/') && !path.startsWith('//')).toBe(true)
        for (const read of [path, carelessly(path)]) {
          const url = new URL(read.replaceAll('?', '%3F').replaceAll('#', '%23'), base.origin)
          expect(url.origin).toBe(base.origin)
          expect(isBelow(base.path, url.pathname)).toBe(true)
        }
        expect(carelessly(path).split('/')).toHaveLength(path.split('/').length)
        expect(query.join('?')).toBe(asked.split('?').slice(1).join('?'))
      }),
      { numRuns: 5_000 },
    )
    expect(led).toBeGreaterThan(100)
  })

  it('never sends a redirect of its own to another host by a path of ours', () => {
    fc.assert(
      fc.property(target, fc.constantFrom('', base.origin, base.path, `${base.origin}${base.path}`), (to, start) => {
        const said = `${start}${to}`
        const location = locationFrom(base, said, `${base.path}/x`)
        if (location === said) return
        expect(new URL(location, 'https://shop.example').origin).toBe('https://shop.example')
        expect(location.startsWith('/') && !/^\/[/\\]/.test(location)).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })
})

it('a path that would have to be decoded for ever is given up at once', () => {
  const began = performance.now()
  expect(pathOn(bases[0]!, `/%${'25'.repeat(8_000)}2e`)).toBeUndefined()
  expect(performance.now() - began).toBeLessThan(50)
})
