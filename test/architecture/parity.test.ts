/**
 * Nothing of µRaiden is forgotten: `docs/reference/uraiden-parity.md` has one row for each of its capabilities, and
 * names tests that exist. What a test shows, only who reads it knows.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import ts from 'typescript'
import { tableBelow } from './pages.ts'
import { parse, read, root } from './sources.ts'

const page = 'docs/reference/uraiden-parity.md'

/** What µRaiden 0.2 could do, by the headings of the page. */
const capabilities: Readonly<Record<string, readonly string[]>> = {
  Contract: numbered('C', 18),
  Sender: numbered('S', 31),
  Receiver: numbered('R', 22),
  Proxy: numbered('P', 13),
  'REST interface': [
    'GET /stats',
    'GET /channels/',
    'GET /channels/<sender>',
    'DELETE /channels/<sender>',
    'GET /channels/<sender>/<block>',
    'DELETE /channels/<sender>/<block>',
    'GET /login',
    'GET /logout',
    'GET /admin',
    'DELETE /admin/channels/<sender>/<block>',
    'GET /cm',
    'users',
  ],
  'JavaScript library': [
    ...['constructor', 'fields', 'num2tkn, tkn2num', 'getAccounts', 'getTokenInfo', 'getChallengePeriod'],
    ...['loadStoredChannel', 'setChannel', 'forgetStoredChannel', 'isChannelValid', 'loadChannelFromBlockchain'],
    ...['getChannelInfo', 'openChannel', 'topUpChannel', 'incrementBalanceAndSign', 'confirmPayment', 'signNewProof'],
    ...['signMessage', 'verifyProof', 'setBalance', 'closeChannel', 'settleChannel', 'buyToken', 'exports'],
  ],
  'Web page': numbered('W', 7),
  'Command line': [
    ...['proxy group', 'start', 'close_all_channels', 'withdraw_tokens', 'echo_server, echo_client'],
    'setup.py, Makefile',
  ],
  Examples: [
    ...['demo_proxy', 'echo', 'ticker', 'wikipaydia', 'stats_client', 'streaming', 'docker-compose'],
    'documentation',
  ],
  'Tests worth repeating': [
    ...['events', 'uint192', 'uint32', 'close after withdraw', 'wrong signatures', 'trusted no longer', 'payments'],
    ...['several top ups', 'two receivers', 'version', 'broke receiver', 'accept', 'body again', "caller's headers"],
    ...['500 after the payment', 'cheating server', 'cheating client', 'close denied', 'TLS', 'typed data', 'v'],
    ...['EIP-155, eth_sign', 'gas'],
  ],
}

/** Rows that no test shows yet, and why. */
const unshown: Readonly<Record<string, string>> = {}

/** Files whose titles are those of tests: suites are run by the tests that import them. */
const TESTS = /^((src|test)\/.+\.test\.ts|test\/support\/.+-(suite|cases)\.ts|contracts\/test\/.+\.t\.sol)$/

const rows = Object.keys(capabilities).flatMap((heading) => tableBelow(page, heading))

describe('the page of everything µRaiden had', () => {
  it.each(Object.entries(capabilities))('has one row for each capability: %s', (heading, expected) => {
    expect(tableBelow(page, heading).map(nameOf).sort()).toEqual([...expected].sort())
  })

  it('says of each what µRaiden had and what is here', () => {
    expect(rows.filter(([, had = '', here = '']) => had === '' || here === '').map(nameOf)).toEqual([])
  })

  it('names a test for each, but for those listed here with a reason', () => {
    const without = rows.filter((row) => row[3] === '—').map(nameOf)
    expect(without.sort()).toEqual(Object.keys(unshown).sort())
  })

  it('names tests and nothing else', () => {
    const unclear = rows.filter(
      (row) => row[3] !== '—' && !/^`[^`]+`: "[^"]+"(, "[^"]+")*(; `[^`]+`: "[^"]+"(, "[^"]+")*)*$/.test(row[3] ?? ''),
    )
    expect(unclear.map((row) => `${nameOf(row)}: ${row[3]}`)).toEqual([])
  })

  it('names only tests that are there', () => {
    const missing = rows.flatMap((row) =>
      testsIn(row[3]).flatMap(({ path, title }) => (has(path, title) ? [] : [`${nameOf(row)}: ${path}: ${title}`])),
    )
    expect(missing).toEqual([])
  })
})

function numbered(letter: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `${letter}${index + 1}`)
}

function nameOf([cell = '']: readonly string[]): string {
  return cell.replaceAll('`', '')
}

function testsIn(cell = ''): { readonly path: string; readonly title: string }[] {
  return [...cell.matchAll(/`([^`]+)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title })),
  )
}

/** Whether the file has a test whose title has this part; in Solidity, a test of this name. */
function has(path: string, part: string): boolean {
  if (!TESTS.test(path) || !existsSync(join(root, path))) return false
  if (path.endsWith('.sol')) return new RegExp(`function ${part}\\(`).test(read(path)) && /^(test|invariant)/.test(part)
  return titlesIn(path).some((title) => title.includes(part))
}

const known = new Map<string, readonly string[]>()

/** The titles in a file: what tests are called with, outside of what they do, and members that are named `title`. */
function titlesIn(path: string): readonly string[] {
  const before = known.get(path)
  if (before) return before
  const found: string[] = []
  const gather = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text)
    if (!ts.isFunctionLike(node)) node.forEachChild(gather)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(it|describe)\b/.test(node.expression.getText())) gather(node)
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'title') gather(node.initializer)
    node.forEachChild(visit)
  }
  visit(parse(path))
  known.set(path, found)
  return found
}
