/** The reference names all there is, and nothing else: every option, function, status and dependency. */
import { describe, expect, it } from 'vitest'
import { toEventSelector, toFunctionSelector, type AbiEvent, type AbiFunction } from 'viem'
import { formatAbiItem } from 'viem/utils'
import ts from 'typescript'
import type { Code } from '../../src/base/errors.ts'
import { channelEscrowAbi } from '../../src/escrow/abi/channel-escrow.ts'
import { defaultServerLimits } from '../../src/proxy/limits.ts'
import { routesAt } from '../../src/gateway/routes.ts'
import { raidenChannelsAbi } from '../../src/escrow/abi/raiden-channels.ts'
import { payment, rdn } from '../../src/rails.ts'
import { defaultLimits } from '../../src/receiver/context.ts'
import { tableBelow } from './pages.ts'
import { importsOf, parse, read } from './sources.ts'

describe('docs/reference/configuration.md', () => {
  const page = 'docs/reference/configuration.md'

  /** Heading, and the type whose members are its rows. */
  const types = [
    ['createReceiver', 'src/receiver/receiver.ts', 'ReceiverConfig'],
    ['limits', 'src/receiver/context.ts', 'Limits'],
    ['settle', 'src/receiver/context.ts', 'SettlePolicy'],
    ['rail', 'src/receiver/rail.ts', 'RailOptions'],
    ['payment', 'src/dialect/payment.ts', 'PaymentOptions'],
    ['rdn', 'src/dialect/rdn.ts', 'RdnOptions'],
    ['paid', 'src/adapter/route.ts', 'RouteOptions'],
    ['createProxy', 'src/proxy/proxy.ts', 'ProxyOptions'],
    ['mount', 'src/proxy/mounts.ts', 'Mount'],
    ['upstream', 'src/proxy/upstream-options.ts', 'UpstreamOptions'],
    ['tls', 'src/proxy/tls.ts', 'TlsOptions'],
    ['server limits', 'src/proxy/limits.ts', 'ServerLimits'],
    ['createGateway', 'src/gateway/options.ts', 'GatewayOptions'],
    ['paywall', 'src/adapter/paywall.ts', 'PaywallOptions'],
    ['createClient', 'src/sender/client.ts', 'ClientConfig'],
    ['session', 'src/sender/session.ts', 'SessionOptions'],
    ['hooks', 'src/sender/hooks.ts', 'Hooks'],
    ['budget', 'src/sender/budget.ts', 'Budget'],
    ['createChain', 'src/chain/config.ts', 'ChainConfig'],
    ['createWallet', 'src/chain/wallet.ts', 'WalletConfig'],
    ['sqlite', 'src/store/sqlite.ts', 'sqlite'],
  ] as const

  it.each(types)('names every option of %s, and says which are required', (heading, path, type) => {
    const rows = tableBelow(page, heading).map(
      ([name, standard]) => `${plain(name)}${standard === 'required' ? '' : '?'}`,
    )
    const optional = /\blimits$/.test(heading) // given as a Partial
    const members = membersOf(path, type).map((member) => (optional ? `${member}?` : member))
    expect(rows.sort()).toEqual(members.sort())
  })

  it.each([
    ['limits', defaultLimits],
    ['server limits', defaultServerLimits],
  ] as const)('gives the %s their real defaults', (heading, standards) => {
    const rows = tableBelow(page, heading).map(([name, standard = '']) => [
      plain(name),
      plain(standard).replaceAll(',', ''),
    ])
    const entries: [string, unknown][] = Object.entries(standards)
    const defaults = entries.map(([name, value]) => [name, String(value)])
    expect(rows.sort()).toEqual(defaults.sort())
  })
})

describe('docs/reference/rest.md', () => {
  it('has every route of the gateway', () => {
    const rows = tableBelow('docs/reference/rest.md', 'Routes').map((row) => row.slice(0, 2).map(plain).join(' '))
    const served = routesAt('/api/1').map(({ method, path }) => `${method} ${path}`)
    expect(rows.sort()).toEqual(served.sort())
  })

  it('says which of them are for administrators alone', () => {
    const rows = tableBelow('docs/reference/rest.md', 'Routes').filter(([, , who]) => who === 'administrator')
    const served = routesAt('/api/1').filter(({ access }) => access === 'administrator')
    expect(rows.map(([, path]) => plain(path)).sort()).toEqual(served.map(({ path }) => path).sort())
  })
})

describe('docs/reference/problems.md', () => {
  it('has the status and the type of every code', () => {
    const rows = tableBelow('docs/reference/problems.md', 'Codes').map((row) => row.slice(0, 3).map(plain))
    const said = Object.entries(payment().refusals).map(([code, { status, word }]) => [code, `${status}`, word])
    expect(rows.sort()).toEqual(said.sort())
  })
})

describe('docs/reference/rdn.md', () => {
  const page = 'docs/reference/rdn.md'
  const dialect = rdn()

  it('has the status and the flag of every code', () => {
    const rows = tableBelow(page, 'Statuses and flags').map((row) => row.slice(0, 3).map(plain))
    const told = { sender: `0x${'11'.repeat(20)}`, authorized: '7', charged: '7', got: '13' }
    const said = codesOf(dialect).map((code) => {
      const flags = dialect.writeRefusal({ code, details: told }).filter(([, value]) => value === '1')
      return [code, `${dialect.refusals[code].status}`, flags.map(([name]) => name).join()]
    })
    expect(rows.sort()).toEqual(said.sort())
  })

  it('has no address, digest or signature that is not in the vectors', () => {
    const vectors = read('test/vectors/uraiden-conversations.json')
    const said = [...read(page).matchAll(/0x[0-9a-fA-F]{40,}/g)].map(([hex]) => hex)
    const token = `0x${'2'.repeat(40)}`
    expect(said.length).toBeGreaterThan(20)
    expect(said.filter((hex) => hex !== token && !vectors.includes(`"${hex}"`))).toEqual([])
  })
})

describe('docs/reference/contract.md', () => {
  const page = 'docs/reference/contract.md'
  const of = (type: string) => channelEscrowAbi.filter((item) => item.type === type)

  it('names every function, by its selector', () => {
    const functions = of('function').map((item) => [
      formatAbiItem(item as AbiFunction),
      toFunctionSelector(item as AbiFunction),
    ])
    expect(
      tableBelow(page, 'Functions')
        .map((row) => row.slice(0, 2).map(plain))
        .sort(),
    ).toEqual(functions.sort())
  })

  it('names every event, by its topic', () => {
    const events = of('event').map((item) => [formatAbiItem(item as AbiEvent), toEventSelector(item as AbiEvent)])
    expect(
      tableBelow(page, 'Events')
        .map((row) => row.slice(0, 2).map(plain))
        .sort(),
    ).toEqual(events.sort())
  })

  it('names every error', () => {
    const errors = of('error').map((item) => ('name' in item ? item.name : ''))
    expect(
      tableBelow(page, 'Errors')
        .map(([name]) => plain(name))
        .sort(),
    ).toEqual(errors.sort())
  })

  it('gives the gas that was measured', () => {
    const gas = Object.entries(JSON.parse(read('contracts/snapshots/GasTest.json')) as Record<string, string>)
    expect(
      tableBelow(page, 'Gas')
        .map(([what, units = '']) => [plain(what), units.replaceAll(',', '')])
        .sort(),
    ).toEqual(gas.sort())
  })
})

describe('docs/reference/raiden-channels.md', () => {
  const page = 'docs/reference/raiden-channels.md'
  const of = (type: string) => raidenChannelsAbi.filter((item) => item.type === type)
  const signatureOf = (item: AbiFunction | AbiEvent) => `${item.name}(${item.inputs.map(({ type }) => type).join(',')})`
  const rows = (heading: string) => tableBelow(page, heading).map((row) => row.slice(0, 2).map(plain))

  it('names every function, by its selector', () => {
    const functions = of('function').map((item) => [
      signatureOf(item as AbiFunction),
      toFunctionSelector(item as AbiFunction),
    ])
    expect(rows('Functions').sort()).toEqual(functions.sort())
  })

  it('names every event, by its topic', () => {
    const events = of('event').map((item) => [signatureOf(item as AbiEvent), toEventSelector(item as AbiEvent)])
    expect(rows('Events').sort()).toEqual(events.sort())
  })

  it('names every error', () => {
    const errors = of('error').map((item) => ('name' in item ? item.name : ''))
    expect(
      rows('Errors')
        .map(([name]) => name)
        .sort(),
    ).toEqual(errors.sort())
  })
})

describe('docs/explanation/dependencies.md', () => {
  type Package = Partial<Record<string, Record<string, string>>>
  const own = JSON.parse(read('package.json')) as Package
  const contracts = JSON.parse(read('contracts/package.json')) as Package

  it.each([
    ['At run time', own.dependencies],
    ['Optional', own.optionalDependencies],
    ['Peers', own.peerDependencies],
    ['For development', own.devDependencies],
    [
      'For the contracts',
      { ...contracts.dependencies, ...contracts.optionalDependencies, ...contracts.devDependencies },
    ],
  ])('says why each one is there: %s', (heading, expected = {}) => {
    const rows = tableBelow('docs/explanation/dependencies.md', heading)
    expect(rows.map(([name]) => plain(name)).sort()).toEqual(Object.keys(expected).sort())
    expect(rows.filter(([, why = '']) => why.length < 10)).toEqual([])
  })
})

function codesOf({ refusals }: { readonly refusals: Readonly<Record<Code, unknown>> }): Code[] {
  return Object.keys(refusals) as Code[]
}

function plain(cell = ''): string {
  return cell.replaceAll('`', '')
}

/** The members of a type, or of the last parameter of a function; optional ones with a `?`. */
function membersOf(path: string, name: string): string[] {
  const found: string[] = []
  parse(path).forEachChild((node) => {
    if (ts.isTypeAliasDeclaration(node) && node.name.text === name) found.push(...membersIn(path, node.type))
    if (ts.isFunctionDeclaration(node) && node.name?.text === name)
      found.push(...membersIn(path, node.parameters.at(-1)?.type))
  })
  if (found.length > 0) return found
  const imported = importsOf(path).find(({ names }) => names.includes(name))
  if (!imported) throw new Error(`${path} does not say what ${name} is`)
  return membersOf(imported.to, name)
}

function membersIn(path: string, type: ts.TypeNode | undefined): string[] {
  if (!type) return []
  if (ts.isTypeLiteralNode(type)) {
    return type.members.map((member) => `${member.name?.getText() ?? ''}${member.questionToken ? '?' : ''}`)
  }
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap((part) => membersIn(path, part))
  if (!ts.isTypeReferenceNode(type)) throw new Error(`${path}: cannot read ${type.getText()}`)
  const [from, picked] = type.typeArguments ?? []
  if (type.typeName.getText() !== 'Pick') return membersOf(path, type.typeName.getText())
  const names = picked && ts.isUnionTypeNode(picked) ? picked.types.map((one) => one.getText().slice(1, -1)) : []
  const all = from && ts.isTypeReferenceNode(from) ? membersOf(path, from.typeName.getText()) : []
  return all.filter((member) => names.includes(member.replace('?', '')))
}
