/** `farthing operator`: a receiver whose key is used once, and a server and a `settle` that run with another one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { startWorld, tokensOf } from '../support/market.ts'
import { newHome } from './farthing.ts'
import { newBuyerEnv, newSeller, routesFile, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
let cold: Seller
let hot: Seller
beforeAll(async () => {
  world = await startWorld()
  cold = await newSeller(world, home)
  hot = await newSeller(world, home)
})
afterAll(() => world.anvil.stop())

const operator = (...more: string[]) =>
  home.here(['operator', ...more, '--rpc', world.anvil.url, '--escrow', world.escrow, '--key-file', cold.keyFile])

/** What says where to sell, as the cold receiver with the hot key. */
const place = () => {
  const { anvil, escrow, token } = world
  const named = ['--rpc', anvil.url, '--escrow', escrow, '--token', token]
  return [...named, '--receiver', cold.address, '--key-file', hot.keyFile]
}

const priced = () => routesFile(home, 'priced.json', { 'GET /:n': { price: '5', text: 'x' } })

describe('farthing operator', () => {
  it('is missed by a server whose key is not the receiver, which says what to do', async () => {
    const { code, stderr } = await home.run(['serve', priced(), ...place(), '--port', '0'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--receiver: has the key of .*, which is not the operator of .*farthing operator 0x/)
  })

  it('names the key once, and says who it is', async () => {
    expect((await operator()).stdout).toContain('Nobody may send for')
    const named = await operator(hot.address, '--json')
    expect(JSON.parse(named.stdout)).toEqual({
      receiver: cold.address,
      operator: hot.address,
      transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) as string,
    })
    const again = await operator(hot.address)
    expect(again.stdout).toContain('Nothing was sent.')
    expect(again.stdout).toContain(hot.address)
  })

  it('lets a server sell and `settle` take it, for the receiver', async () => {
    const { url, process: running } = await home.serve([priced(), ...place(), '--port', '0'])
    const { code } = await home.here(['get', `${url}/x`], await newBuyerEnv(world))
    expect(code).toBe(0)
    await running.stop()
    const taken = await home.here(['settle', ...place(), '--json'])
    expect(JSON.parse(taken.stdout)).toMatchObject({ recovered: '5', succeeded: 1, failed: 0 })
    expect(BigInt((JSON.parse(taken.stdout) as { gas: string }).gas)).toBeGreaterThan(0n)
    expect(await tokensOf(world, cold.address)).toBe(5n)
    expect(await tokensOf(world, hot.address)).toBe(0n)
  })

  it('takes the name back', async () => {
    expect((await operator('--remove')).stdout).toContain('Nobody may send for')
    const { code, stderr } = await home.run(['serve', priced(), ...place(), '--port', '0'])
    expect(code).toBe(2)
    expect(stderr).toContain('is not the operator of')
  })

  it.each([
    ['no contract to name it in', ['--rpc', 'http://127.0.0.1:1'], '--escrow: is needed'],
    [
      'somebody and nobody',
      [`0x${'11'.repeat(20)}`, '--remove', '--escrow', `0x${'22'.repeat(20)}`],
      '--remove: names nobody',
    ],
    ['what is no address', ['0x12'], 'Use an address'],
  ])('is refused with the fix: %s', async (_what, args, message) => {
    const { code, stderr } = await home.here(['operator', ...args, '--key-file', cold.keyFile])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})
