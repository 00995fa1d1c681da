/** `farthing doctor`: real machines, nodes, contracts, keys and files, well and not well. */
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from '@photostructure/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startAnvil } from '../../src/chain/anvil.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { lookAtNodeVersion } from '../../src/cli/doctor/machine.ts'
import { encryptKey } from '../../src/cli/keystore.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { engines } from '../../src/base/engine.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { listen, rpc, startWorld } from '../support/market.ts'
import { newHome } from './farthing.ts'
import { installWithout } from './lean.ts'
import { newSeller, placeOf, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
let seller: Seller
let passwordFile: string
beforeAll(async () => {
  world = await startWorld()
  const { privateKey, ...bare } = await newSeller(world, home)
  const keyFile = join(home.folder, 'key.json')
  writeFileSync(keyFile, encryptKey(privateKey, 'correct horse'), { mode: 0o600 })
  passwordFile = join(home.folder, 'password')
  writeFileSync(passwordFile, 'correct horse\n', { mode: 0o600 })
  seller = { ...bare, privateKey, keyFile }
})
afterAll(() => world.anvil.stop())

type Diagnosis = { readonly code: number; readonly ok: boolean; readonly checks: readonly Finding[] }

const machine = ['Node.js', 'signatures', 'cores', 'SQLite', 'commit', 'disk space']

async function diagnose(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Diagnosis> {
  const { code, stdout, stderr } = await home.here(['doctor', '--json', ...args], env)
  if (!stdout.startsWith('{"ok":')) throw new Error(`it says nothing: ${stdout}${stderr}`)
  const exitCode = Number(process.exitCode ?? code)
  process.exitCode = 0
  return { code: exitCode, ...(JSON.parse(stdout) as Omit<Diagnosis, 'code'>) }
}

const find = ({ checks }: Diagnosis, name: string): Finding | undefined => checks.find((one) => one.name === name)
const verdicts = ({ checks }: Diagnosis) => Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]))
/** Of the machine the tests say nothing but that it was looked at: it is not theirs. */
const ofSeller = ({ checks }: Diagnosis) =>
  Object.fromEntries(checks.filter(({ name }) => !machine.includes(name)).map(({ name, verdict }) => [name, verdict]))

const hostOf = (url: string) => new URL(url).host
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

describe('farthing doctor', () => {
  it('looks at the machine alone when nothing is configured, and leaves nothing behind', async () => {
    const fresh = newHome()
    const { code, stdout, stderr } = await fresh.run(['doctor'])
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\n')
    for (const [index, name] of machine.entries()) expect(lines[index]).toMatch(new RegExp(`^(ok  |slow) +${name}  `))
    expect(lines[0]).toContain(process.versions.node)
    expect(lines[1]).toMatch(/checked by the native engine, \d+ µs each\.$/)
    expect(lines[4]).toMatch(/ \d+\.\d ms until one is durable in \S+\.$/)
    expect(stdout).toContain('Only this machine was looked at.')
    expect(readdirSync(fresh.folder)).toEqual([])
  })

  it('measures: a check of a signature takes what the engine takes', async () => {
    const [native] = await engines()
    expect(native!.name).toBe('native')
    const { detail } = find(await diagnose([]), 'signatures')!
    const [, microseconds] = /(\d+) µs/.exec(detail)!
    // secp256k1 in software takes more than 10, and the JavaScript engine more than 1000.
    expect(Number(microseconds)).toBeGreaterThan(10)
    expect(Number(microseconds)).toBeLessThan(1_000)
  })

  it('finds a seller well, that is configured by options or by the environment', async () => {
    const well = {
      'key file': 'ok',
      [`chain ${hostOf(world.anvil.url)}`]: 'ok',
      'contract payment': 'ok',
      'contract rdn': 'ok',
      'coins for gas': 'ok',
      'state file': 'ok',
    }
    const said = await diagnose([...placeOf(world, seller), '--password-file', passwordFile])
    expect([ofSeller(said), said.ok, said.code]).toEqual([well, true, 0])
    expect(find(said, 'key file')!.detail).toContain('and the password opens it')
    expect(find(said, 'coins for gas')!.detail).toMatch(/^1 ETH, about [\d,]{5,} settlements/)
    expect(find(said, 'state file')!.detail).toMatch(/^none at .*; the first start makes it$/)
    const fromEnvironment = await diagnose([], {
      FARTHING_RPC: world.anvil.url,
      FARTHING_ESCROW: world.escrow,
      FARTHING_CONTRACT: world.raiden,
      FARTHING_KEY_FILE: seller.keyFile,
      FARTHING_PASSWORD_FILE: passwordFile,
    })
    expect(ofSeller(fromEnvironment)).toEqual(well)
  })

  it('says in the terminal what to do, below what is wrong', async () => {
    const { stdout, stderr } = await home.here(['doctor', ...placeOf(world, seller), '--escrow', world.raiden])
    process.exitCode = 0
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^BAD {3}contract payment +--escrow: the contract at .*\.\n {20,}Use the address of one\.$/m)
    expect(stdout).toMatch(/\n\d+ checks: 1 BAD\.\n$/)
  })
})

describe('farthing doctor: the machine', () => {
  const withoutNative = installWithout('secp256k1')
  const withoutBoth = installWithout('secp256k1', 'ox')

  it.each([
    ['WebAssembly', withoutNative, /"checked by the wasm engine, \d+ µs each: each payment takes about 1\.5 times/],
    ['JavaScript', withoutBoth, /"checked by the javascript engine, \d+ µs each: each payment takes about 20 to 30/],
  ])('is slow with %s, and how it gets faster is said', async (_what, install, detail) => {
    const said = await install.run(home, ['doctor', '--json'])
    expect(said).toMatch(detail)
    expect((JSON.parse(said) as Diagnosis).checks[1]).toMatchObject({
      verdict: 'slow',
      fix: expect.stringContaining('linux-x64, darwin-arm64 and win32-x64') as string,
    })
  })

  it('is what farthing serve and farthing dev warn of at their start', async () => {
    const args = [
      ...placeOf(world, seller),
      '--password-file',
      passwordFile,
      '--port',
      '0',
      '--files',
      '.',
      '--price',
      '1',
    ]
    const served = await withoutNative.run(home, ['serve', ...args], (said) => said.includes('Selling at'))
    const line = served.split('\n').find((one) => one.includes('signature-engine'))!
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      event: 'signature-engine',
      engine: 'wasm',
      message: expect.stringMatching(/^Each payment takes about 1\.5 times .* secp256k1/) as string,
    })
    const dev = await withoutNative.run(home, ['dev', '--port', '0'], (said) => said.includes('Ctrl-C'))
    expect(dev).toMatch(/^signatures +wasm: each payment takes about 1\.5 times .*; see farthing doctor$/m)
  })

  it('has a Node.js that is new enough, or not', async () => {
    const verdictOf = async (version: string) => (await lookAtNodeVersion(version)).finding
    expect(await verdictOf('18.20.8')).toMatchObject({ verdict: 'BAD', fix: 'Install Node.js 20.19 or newer' })
    expect(await verdictOf('20.9.0')).toMatchObject({ verdict: 'BAD' })
    for (const version of ['20.19.0', '20.20.1', '22.0.0', '100.1.2'])
      expect(await verdictOf(version)).toMatchObject({ verdict: 'ok' })
  })

  it('has no room and nothing that can be written where the state file shall be, and the rest is looked at', async () => {
    const said = await diagnose(['--state-file', '/proc/farthing.db', '--key-file', seller.keyFile])
    expect([said.code, said.ok]).toEqual([2, false])
    expect(verdicts(said)).toMatchObject({ commit: 'BAD', 'disk space': 'BAD', 'key file': 'ok', 'state file': 'ok' })
    expect(find(said, 'commit')).toMatchObject({
      detail: expect.stringMatching(/^--state-file: \/proc cannot be written \(.*\)$/) as string,
      fix: 'Use a folder that this user can write to',
    })
  })
})

describe('farthing doctor: the key', () => {
  const withKey = (keyFile: string, ...args: string[]) => diagnose(['--key-file', keyFile, ...args])

  it('is missing', async () => {
    const said = await newHome().run(['doctor', '--json', '--rpc', world.anvil.url])
    expect([said.code, (JSON.parse(said.stdout) as Diagnosis).checks[6]]).toEqual([
      2,
      {
        name: 'key file',
        verdict: 'BAD',
        detail: '--key-file: is needed: there is no key yet',
        fix: 'Make one with `farthing keys new`',
      },
    ])
  })

  it('can be read by others', async () => {
    chmodSync(seller.keyFile, 0o644)
    const said = await withKey(seller.keyFile)
    chmodSync(seller.keyFile, 0o600)
    expect([said.code, find(said, 'key file')]).toMatchObject([
      2,
      { verdict: 'BAD', fix: `Run \`chmod 600 ${seller.keyFile}\`` },
    ])
  })

  it('is not opened by the password', async () => {
    const wrong = join(home.folder, 'wrong')
    writeFileSync(wrong, 'battery staple\n', { mode: 0o600 })
    const said = await withKey(seller.keyFile, '--password-file', wrong)
    expect([said.code, find(said, 'key file')?.detail]).toEqual([2, 'password: is wrong for this key file'])
  })

  it('is not encrypted', async () => {
    const said = await withKey((await newSeller(world, home)).keyFile)
    expect([said.code, find(said, 'key file')?.verdict]).toEqual([0, 'warn'])
  })
})

describe('farthing doctor: the coins', () => {
  const setCoins = (wei: bigint) => rpc(world, 'anvil_setBalance', seller.address, `0x${wei.toString(16)}`)
  const setFee = (wei: bigint) => rpc(world, 'anvil_setNextBlockBaseFeePerGas', `0x${wei.toString(16)}`)
  afterAll(() => setCoins(10n ** 18n))

  it('are none, few, or enough', async () => {
    await setFee(10n ** 9n)
    await rpc(world, 'evm_mine')
    const told = []
    for (const wei of [0n, 10n ** 13n, 10n ** 15n, 10n ** 17n]) {
      await setCoins(wei)
      const said = await diagnose(placeOf(world, seller))
      told.push([find(said, 'coins for gas')!.verdict, said.code])
    }
    expect(told).toEqual([
      ['BAD', 2],
      ['BAD', 2],
      ['warn', 0],
      ['ok', 0],
    ])
    expect(find(await diagnose(placeOf(world, seller)), 'coins for gas')!.detail).toMatch(
      /^0\.1 ETH, about \d{3} settle/,
    )
  })

  it('buy nothing while gas is dearer than the cap', async () => {
    await setFee(3n * 10n ** 9n)
    await rpc(world, 'evm_mine')
    const said = await diagnose([...placeOf(world, seller), '--gas-price-cap', '2'])
    expect(find(said, 'coins for gas')).toMatchObject({
      verdict: 'warn',
      fix: expect.stringContaining('--gas-price-cap') as string,
    })
  })
})

describe('farthing doctor: the chain', () => {
  const nobody = 'http://127.0.0.1:1'
  const contracts = () => ['--key-file', seller.keyFile, '--escrow', world.escrow, '--token', world.token]

  it('is not there: only then the exit code is 4', async () => {
    const said = await diagnose([...contracts(), '--rpc', nobody])
    expect([said.code, ofSeller(said)]).toEqual([
      4,
      { 'key file': 'ok', 'chain 127.0.0.1:1': 'BAD', contracts: 'warn' },
    ])
    const both = await diagnose([...contracts(), '--rpc', nobody, '--key-file', join(home.folder, 'none')])
    expect([both.code, ofSeller(both)]).toEqual([
      2,
      { 'key file': 'BAD', 'chain 127.0.0.1:1': 'BAD', contracts: 'warn' },
    ])
  })

  it('takes a question and never answers: no check hangs, and another node is used', { timeout: 60_000 }, async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const { code, stdout } = await home.run(['doctor', '--json', ...contracts(), '--rpc', `http://${host}`])
    const { checks } = JSON.parse(stdout) as Diagnosis
    expect([code, checks.at(-2)]).toMatchObject([
      4,
      { name: `chain ${host}`, verdict: 'BAD', detail: expect.stringContaining('did not answer in time') as string },
    ])
    const beside = await diagnose([...contracts(), '--rpc', `http://${host},${world.anvil.url}`])
    expect([beside.code, verdicts(beside)]).toMatchObject([0, { [`chain ${host}`]: 'warn', 'contract payment': 'ok' }])
    silent.close()
  })

  it('falls silent at a later question: the checks behind it are made', { timeout: 60_000 }, async () => {
    const node = await listen((request, response) => {
      void (async () => {
        const body = await text(request)
        if (body.includes('eth_getCode')) return
        const answer = await fetch(world.anvil.url, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
        })
        response.setHeader('content-type', 'application/json').end(await answer.text())
      })()
    })
    const { code, stdout } = await home.run(['doctor', '--json', ...contracts(), '--rpc', node.url])
    await node.close()
    const { checks } = JSON.parse(stdout) as Diagnosis
    const said = checks.slice(machine.length).map(({ name, verdict }) => [name, verdict])
    expect([code, said]).toEqual([
      4,
      [
        ['key file', 'ok'],
        [`chain ${hostOf(node.url)}`, 'ok'],
        ['contract payment', 'BAD'],
        ['coins for gas', 'ok'],
        ['state file', 'ok'],
      ],
    ])
  })

  it('has one node that is away beside one that answers', async () => {
    const said = await diagnose([...contracts(), '--rpc', `${nobody},${world.anvil.url}`])
    expect([said.code, verdicts(said)]).toMatchObject([0, { 'chain 127.0.0.1:1': 'warn', 'contract payment': 'ok' }])
  })

  it('is behind, or this machine is; and another chain is not the same chain', { timeout: 60_000 }, async () => {
    const now = Math.floor(Date.now() / 1_000)
    const verdictAt = async (time: number) => {
      const other = await startAnvil({ chainId: 8453, args: ['--timestamp', `${time}`] })
      const name = `chain ${hostOf(other.url)}`
      const alone = find(await diagnose(['--key-file', seller.keyFile, '--rpc', other.url]), name)
      const beside = await diagnose([...contracts(), '--rpc', `${world.anvil.url},${other.url}`])
      await other.stop()
      expect([beside.code, find(beside, name)]).toMatchObject([
        2,
        { verdict: 'BAD', detail: 'it is on chain 8453, another one on 31337' },
      ])
      expect(find(beside, 'contract payment')?.verdict).toBe('ok')
      return alone!.verdict
    }
    const verdicts = []
    for (const time of [now, now - 600, now - 7_200, now + 600]) verdicts.push(await verdictAt(time))
    expect(verdicts).toEqual(['ok', 'warn', 'BAD', 'warn'])
  })
})

describe('farthing doctor: the contracts', () => {
  const nothing = `0x${'e'.repeat(40)}`
  it.each([
    [
      'are not there',
      () => ['--rpc', world.anvil.url, '--escrow', nothing, '--token', world.token],
      'contract payment',
      '--escrow: there is no contract',
    ],
    [
      'are not what they are taken for',
      () => ['--rpc', world.anvil.url, '--escrow', world.raiden, '--token', world.token],
      'contract payment',
      '--escrow: the contract at',
    ],
    [
      'hold another token',
      () => ['--rpc', world.anvil.url, '--contract', world.raiden, '--token', world.escrow],
      'contract rdn',
      '--token: is',
    ],
    [
      'are none that name a token',
      () => ['--rpc', world.anvil.url, '--contract', nothing],
      'contracts',
      '--contract: there is no RaidenChannels',
    ],
    [
      'are named without a node',
      () => ['--escrow', world.escrow, '--token', world.token],
      'contracts',
      '--rpc: is needed',
    ],
    [
      'are not all named',
      () => ['--rpc', world.anvil.url, '--escrow', world.escrow],
      'contracts',
      '--token: is needed',
    ],
  ])('%s', async (_what, args, name, problem) => {
    const said = await diagnose(['--key-file', seller.keyFile, ...args()])
    expect([said.code, find(said, name)]).toMatchObject([
      2,
      { verdict: 'BAD', detail: expect.stringContaining(problem) as string },
    ])
  })
})

describe('farthing doctor: the state file', () => {
  const at = (path: string) => diagnose([...placeOf(world, seller), '--state-file', path])

  it('is in use while its server runs, and is its own after that; nothing is changed', async () => {
    const stateFile = join(home.folder, 'own.db')
    const args = [...placeOf(world, seller), '--password-file', passwordFile, '--state-file', stateFile]
    const wares = ['--port', '0', '--files', home.folder, '--price', '5']
    const { process: running } = await home.serve([...args, ...wares])
    const whileItRuns = find(await at(stateFile), 'state file')
    expect(whileItRuns).toMatchObject({
      verdict: 'ok',
      detail: `${stateFile} is in use, as it is while its server runs`,
    })
    await running.stop('SIGKILL')
    const [file, log] = [hashOf(stateFile), hashOf(`${stateFile}-wal`)]
    expect(find(await at(stateFile), 'state file')).toMatchObject({
      verdict: 'ok',
      detail: `${stateFile}, of ${seller.address}`,
    })
    expect([hashOf(stateFile), hashOf(`${stateFile}-wal`)]).toEqual([file, log])
    const again = await home.serve([...args, ...wares])
    await again.process.stop()
    const stopped = hashOf(stateFile)
    expect(find(await at(stateFile), 'state file')?.verdict).toBe('ok')
    expect(hashOf(stateFile)).toBe(stopped)
  })

  it("is another receiver's", async () => {
    const path = join(home.folder, 'other.db')
    const store = sqlite(path)
    await store.writeRecord('receiver:address', () => `0x${'a'.repeat(40)}`)
    await store.close()
    const said = await at(path)
    expect([said.code, find(said, 'state file')]).toMatchObject([
      2,
      { verdict: 'BAD', detail: expect.stringContaining(`holds the channels of 0x${'a'.repeat(40)}`) as string },
    ])
  })

  it('is none of ours, or of a later program', async () => {
    const [text, later] = [join(home.folder, 'text.db'), join(home.folder, 'later.db')]
    writeFileSync(text, 'no database\n'.repeat(400))
    await sqlite(later).close()
    const db = new DatabaseSync(later)
    db.exec('PRAGMA user_version = 99')
    db.close()
    expect(find(await at(text), 'state file')).toMatchObject({
      verdict: 'BAD',
      detail: expect.stringContaining('is not a Farthing store') as string,
    })
    expect(find(await at(later), 'state file')).toMatchObject({
      verdict: 'BAD',
      detail: expect.stringContaining('has version 99') as string,
    })
  })
})
