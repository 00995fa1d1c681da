/** `farthing settle` and `farthing close-all`: what was earned, from the state file and through a running server. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChannelKey } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { rpc, startWorld, tokensOf } from '../support/market.ts'
import { newHome, type Ran, type Served } from './farthing.ts'
import { newBuyerEnv, newSeller, placeOf, routesFile, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
  const hashed = await home.run(['keys', 'password-hash', 'ada'], { input: 'correct horse\n' })
  writeFileSync(join(home.folder, 'users'), `# who may\n\n${hashed.stdout}`, { mode: 0o600 })
  writeFileSync(join(home.folder, 'password'), 'correct horse\n', { mode: 0o600 })
})
afterAll(() => world.anvil.stop())

type Sheet = {
  readonly channels: readonly {
    readonly channel: string
    readonly protocol: string
    readonly amount: string
    readonly transaction: string
  }[]
  readonly failures: readonly { readonly channel: string; readonly protocol: string; readonly reason: string }[]
  readonly recovered: string
  readonly succeeded: number
  readonly failed: number
  readonly gas: string | null
}

const sheetOf = ({ stdout }: Ran) => JSON.parse(stdout) as Sheet
const by = (sheet: Sheet) => sheet.channels.map(({ protocol, amount }) => [protocol, amount]).sort()

function server(seller: Seller): Promise<Served> {
  const file = routesFile(home, 'priced.json', {
    'GET /:n': { price: '5', text: 'x' },
    'GET /big/:n': { price: '50', text: 'x' },
  })
  return home.serve([file, ...placeOf(world, seller), '--port', '0', '--users-file', join(home.folder, 'users')])
}

/** Sells one thing to each of some buyers, who pay by these protocols. */
async function sell(url: string, protocols: readonly string[], path = '/x'): Promise<void> {
  for (const protocol of protocols) {
    const { code } = await home.here(['get', '--protocol', protocol, `${url}${path}`], await newBuyerEnv(world))
    expect(code).toBe(0)
  }
}

/** A receiver that was paid by these protocols and whose server has ended. */
async function earned(...protocols: string[]): Promise<{ seller: Seller; stateFile: string }> {
  const seller = await newSeller(world, home)
  const { url, stateFile, process: running } = await server(seller)
  await sell(url, protocols)
  await running.stop()
  return { seller, stateFile }
}

/** Makes the voucher of one channel worthless. */
async function spoil(stateFile: string, protocol: string): Promise<string> {
  const store = sqlite(stateFile)
  const wanted = protocol === 'rdn' ? world.raiden : world.escrow
  let spoilt: ChannelKey | undefined
  for await (const { key, escrow } of store.list()) if (escrow === wanted.toLowerCase()) spoilt = key
  const { id } = await store.update(spoilt!, (now) => ({
    ...now!,
    voucher: { ...now!.voucher!, signature: `0x${'11'.repeat(64)}1b` },
  }))
  await store.close()
  return id
}

const run = (command: string, seller: Seller, ...args: string[]): Promise<Ran> =>
  home.here([command, ...placeOf(world, seller), '--json', ...args])

describe('farthing settle', () => {
  it('takes what every channel of both rails has brought, says what it cost, and leaves the channels open', async () => {
    const { seller } = await earned('payment', 'payment', 'rdn')
    const held = await tokensOf(world, seller.address)
    const foreseen = await run('settle', seller, '--dry-run')
    expect(JSON.parse(foreseen.stdout)).toMatchObject({
      recoverable: '15',
      channels: [{ amount: '5' }, { amount: '5' }, { amount: '5' }],
      transactions: 2,
      refused: [],
    })
    expect(await tokensOf(world, seller.address)).toBe(held)
    const inWords = await home.here(['settle', '--dry-run', ...placeOf(world, seller)])
    expect(inWords.stdout).toMatch(/Gas: about 0\.\d+ ETH for 2 transactions \(\d{6} units\)\./)

    const coins = BigInt((await rpc(world, 'eth_getBalance', seller.address, 'latest')) as string)
    const settled = await run('settle', seller)
    expect(settled.code).toBe(0)
    const sheet = sheetOf(settled)
    expect(by(sheet)).toEqual([
      ['payment', '5'],
      ['payment', '5'],
      ['rdn', '5'],
    ])
    expect(sheet).toMatchObject({ recovered: '15', succeeded: 3, failed: 0, failures: [] })
    expect(await tokensOf(world, seller.address)).toBe(held + 15n)
    expect(coins - BigInt((await rpc(world, 'eth_getBalance', seller.address, 'latest')) as string)).toBe(
      BigInt(sheet.gas!),
    )
    const gasUsed = new Map<string, bigint>()
    for (const { transaction } of sheet.channels) {
      const receipt = (await rpc(world, 'eth_getTransactionReceipt', transaction)) as {
        status: string
        gasUsed: string
      }
      expect(receipt.status).toBe('0x1')
      gasUsed.set(transaction, BigInt(receipt.gasUsed))
    }
    const used = [...gasUsed.values()].reduce((sum, gas) => sum + gas, 0n)
    const { gasUnits } = JSON.parse(foreseen.stdout) as { gasUnits: string }
    // An estimate has to have room for calls within calls, and gas that is given back at the end.
    expect(Number(gasUnits) / Number(used)).toBeGreaterThanOrEqual(1)
    expect(Number(gasUnits) / Number(used)).toBeLessThan(1.3)

    const again = await run('settle', seller)
    expect([again.code, sheetOf(again)]).toEqual([
      0,
      { channels: [], failures: [], recovered: '0', succeeded: 0, failed: 0, gas: '0' },
    ])
  })

  it('leaves channels with less than --minimum', async () => {
    const seller = await newSeller(world, home)
    const { url, process: running } = await server(seller)
    await sell(url, ['payment', 'rdn'])
    await sell(url, ['payment'], '/big/x')
    await running.stop()
    expect(by(sheetOf(await run('settle', seller, '--minimum', '6')))).toEqual([['payment', '50']])
    const none = await run('settle', seller, '--minimum', '0')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('Use at least 1 base unit') as string])
  })

  it.each(['payment', 'rdn'])(
    'names a %s channel that cannot be settled with its reason, settles the others, and ends with 5',
    async (protocol) => {
      const { seller, stateFile } = await earned('payment', 'payment', 'rdn', 'rdn')
      const bad = await spoil(stateFile, protocol)
      const foreseen = JSON.parse((await run('settle', seller, '--dry-run')).stdout) as { refused: object[] }
      expect(foreseen.refused).toEqual([
        { channel: expect.stringContaining(bad) as string, reason: expect.stringContaining('Signature') as string },
      ])
      const settled = await run('settle', seller)
      expect(settled.code).toBe(5)
      expect(sheetOf(settled)).toMatchObject({
        recovered: '15',
        succeeded: 3,
        failed: 1,
        failures: [{ channel: bad, protocol, amount: '5' }],
      })
      expect(sheetOf(settled).failures[0]!.reason).toMatch(/Signature|ChannelNotFound/)
      expect(settled.stderr).toContain('One channel is as before')
    },
  )

  it('says who has no coins to pay for it', async () => {
    const { seller } = await earned('rdn')
    await rpc(world, 'anvil_setBalance', seller.address, '0x0')
    const { code, stdout } = await run('settle', seller)
    expect(code).toBe(5)
    expect((JSON.parse(stdout) as Sheet).failures[0]!.reason).toContain(
      `${seller.address} cannot pay for the transaction`,
    )
  })
})

describe('farthing close-all', () => {
  it('ends every channel that was paid on: the receiver has what it earned, the senders have the rest', async () => {
    const seller = await newSeller(world, home)
    const { url, process: running } = await server(seller)
    const buyers = [await newBuyerEnv(world), await newBuyerEnv(world)]
    const held = await Promise.all(buyers.map(({ address }) => tokensOf(world, address)))
    await home.here(['get', '--protocol', 'payment', `${url}/x`], buyers[0])
    await home.here(['get', '--protocol', 'rdn', `${url}/x`], buyers[1])
    await running.stop()
    const foreseen = await home.here(['close-all', ...placeOf(world, seller), '--dry-run'])
    expect(foreseen.stdout).toMatch(/^ID +PROTOCOL +SENDER +AMOUNT\n/)
    expect(foreseen.stdout).toContain(
      '2 channels would be closed, for 10 base units (0.00001 FARDEMO). Nothing was sent.',
    )

    const closed = await home.here(['close-all', ...placeOf(world, seller)])
    expect(closed.code).toBe(0)
    expect(closed.stdout).toMatch(
      /^2 channels closed\. Recovered: 10 base units \(0\.00001 FARDEMO\)\. Gas: 0\.\d+ ETH\.\n$/,
    )
    expect(await tokensOf(world, seller.address)).toBe(10n)
    expect(await Promise.all(buyers.map(({ address }) => tokensOf(world, address)))).toEqual(
      held.map((amount) => amount - 5n),
    )
    expect(sheetOf(await run('close-all', seller))).toMatchObject({ succeeded: 0, failed: 0 })
  })

  it.each(['payment', 'rdn'])('names a %s channel that cannot be closed, and closes the others', async (protocol) => {
    const { seller, stateFile } = await earned('payment', 'payment', 'rdn', 'rdn')
    const bad = await spoil(stateFile, protocol)
    const closed = await run('close-all', seller)
    expect([closed.code, by(sheetOf(closed)).length]).toEqual([5, 3])
    expect(sheetOf(closed)).toMatchObject({
      recovered: '15',
      failed: 1,
      failures: [{ channel: bad, protocol, reason: expect.stringContaining('revert') as unknown }],
    })
  })

  it('ends a channel whose sender has asked to leave with less than it owes', async () => {
    const seller = await newSeller(world, home)
    const { url, process: running } = await server(seller)
    const buyer = await newBuyerEnv(world)
    await home.here(['get', '--protocol', 'rdn', `${url}/x`], buyer)
    await running.stop()
    const { stdout } = await home.here(['channels', '--json'], buyer)
    const { channels } = JSON.parse(stdout) as { channels: { id: string }[] }
    const left = await home.here(['request-close', channels[0]!.id, '--owed', '0'], buyer)
    expect(left.code).toBe(0)
    expect(sheetOf(await run('settle', seller))).toMatchObject({ succeeded: 0, failed: 0 })
    expect(sheetOf(await run('close-all', seller))).toMatchObject({ recovered: '5', succeeded: 1, failed: 0 })
    expect(await tokensOf(world, seller.address)).toBe(5n)
  })

  it('needs a state file that is there, and that nobody serves', async () => {
    const seller = await newSeller(world, home)
    const none = await run('close-all', seller)
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--state-file: there is none at') as string])
    const { stateFile, process: running } = await server(seller)
    for (const command of ['close-all', 'settle']) {
      const { code, stderr } = await run(command, seller)
      expect(code).toBe(2)
      expect(stderr).toContain(
        `--state-file: ${stateFile} is in use: its server runs. Stop that first, or let it do this: --server URL --user NAME`,
      )
    }
    await running.stop()
  })
})

describe('through a running server', () => {
  it('settles and closes, and goes on selling', async () => {
    const seller = await newSeller(world, home)
    const { url, process: running } = await server(seller)
    await sell(url, ['payment', 'rdn'])
    const admin = ['--server', url, '--user', 'ada', '--password-file', join(home.folder, 'password'), '--json']
    expect(JSON.parse((await home.here(['settle', '--dry-run', ...admin])).stdout)).toMatchObject({ recoverable: '10' })
    const settled = await home.here(['settle', ...admin])
    expect([settled.code, by(sheetOf(settled))]).toEqual([
      0,
      [
        ['payment', '5'],
        ['rdn', '5'],
      ],
    ])
    expect(sheetOf(settled)).toMatchObject({ recovered: '10', gas: null })
    const closed = await home.here(['close-all', ...admin])
    expect([closed.code, by(sheetOf(closed))]).toEqual([
      0,
      [
        ['payment', '0'],
        ['rdn', '0'],
      ],
    ])
    await sell(url, ['payment', 'rdn'])
    expect(await tokensOf(world, seller.address)).toBe(10n)
    await running.stop()
  })

  it('says why a channel was not settled', async () => {
    const seller = await newSeller(world, home)
    const { url, process: running } = await server(seller)
    await sell(url, ['payment', 'rdn'])
    await rpc(world, 'anvil_setBalance', seller.address, '0x0')
    const admin = ['--server', url, '--user', 'ada', '--password-file', join(home.folder, 'password')]
    const settled = await home.here(['settle', ...admin, '--json'])
    expect([settled.code, sheetOf(settled).failures.map(({ reason }) => reason)]).toEqual([
      5,
      Array.from({ length: 2 }, () => "The receiver cannot pay for gas. Send it some of the chain's own coin."),
    ])
    await running.stop()
  })

  it('says whom it does not know, and does not send a password in the clear', async () => {
    const { url, process: running } = await server(await newSeller(world, home))
    const wrong = join(home.folder, 'wrong-password')
    writeFileSync(wrong, 'correct donkey\n', { mode: 0o600 })
    const as = (...args: string[]) => home.here(['settle', ...args])
    const unknown = await as('--server', url, '--user', 'ada', '--password-file', wrong)
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('--user: There is no such user with this password') as string,
    ])
    const open = await as('--server', 'http://shop.example', '--user', 'ada', '--password-file', wrong)
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('is not https:') as string])
    const nobody = await as('--server', url)
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--user: is needed') as string])
    const minimum = await as('--server', url, '--user', 'ada', '--minimum', '5')
    expect([minimum.code, minimum.stderr]).toEqual([
      2,
      expect.stringContaining('--minimum: cannot be used with --server') as string,
    ])
    await running.stop()
  })
})
