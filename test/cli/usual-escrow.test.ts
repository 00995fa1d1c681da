/** The escrow that is at one address on every chain: nobody has to name it, once somebody has put it there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { deploymentOn } from '../../src/escrow/deployments.ts'
import { newAccount, startWorld } from '../support/market.ts'
import { newHome } from './farthing.ts'
import { newSeller, routesFile, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
let seller: Seller
beforeAll(async () => {
  world = await startWorld()
  seller = await newSeller(world, home)
})
afterAll(() => world.anvil.stop())

const node = () => ['--rpc', world.anvil.url]
const selling = () => [...node(), '--token', world.token, '--key-file', seller.keyFile, '--port', '0']
const priced = () => routesFile(home, 'priced.json', { 'GET /:n': { price: '5', text: 'x' } })

async function buyer() {
  const { privateKey } = await newAccount(world)
  return { FARTHING_RPC: world.anvil.url, FARTHING_TOKEN: world.token, FARTHING_KEY: privateKey }
}

describe('the usual escrow', () => {
  it('is missed on a chain that has none, by whoever sells and by whoever buys', async () => {
    const { address } = deploymentOn(world.chainId)
    const sold = await home.run(['serve', priced(), ...selling()])
    expect([sold.code, sold.stderr]).toEqual([
      2,
      expect.stringContaining(`${address}, is not on chain 31337`) as string,
    ])
    expect(sold.stderr).toContain('farthing deploy escrow')
    const bought = await home.run(['request-close', '0x12'], { env: await buyer() })
    expect([bought.code, bought.stderr]).toEqual([2, expect.stringContaining(`${address}, is not on chain`) as string])
  })

  it('is found by both, once it is there', async () => {
    const put = await home.here(['deploy', 'escrow', ...node(), '--key-file', seller.keyFile])
    expect(put.code).toBe(0)
    const { url, rails, process: running } = await home.serve([priced(), ...selling()])
    expect(rails.map(({ escrow }) => escrow.toLowerCase())).toEqual([deploymentOn(world.chainId).address])
    const { code, stdout } = await home.here(['get', `${url}/n`], await buyer())
    expect([code, stdout]).toEqual([0, 'x'])
    await running.stop()
  })
})
