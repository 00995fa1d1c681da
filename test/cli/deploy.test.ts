/** `farthing deploy`: contracts that can be sold with, by the command that it prints. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encryptKey } from '../../src/cli/keystore.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { newAccount, rpc, startWorld } from '../support/market.ts'
import { newHome, type Ran } from './farthing.ts'
import { newSeller, type Seller } from './seller.ts'

const home = newHome()
let world: LocalChain
let deployer: Seller
beforeAll(async () => {
  world = await startWorld()
  deployer = await newSeller(world, home)
})
afterAll(() => world.anvil.stop())

type Put = {
  readonly contract: string
  readonly address: Address
  readonly transaction: string
  readonly block: number
}

const deploy = (...args: string[]): Promise<Ran> =>
  home.here(['deploy', ...args, '--rpc', world.anvil.url, '--key-file', deployer.keyFile])

/** What a contract answers to a function without arguments. */
async function ask(address: Address, selector: string): Promise<string> {
  return (await rpc(world, 'eth_call', { to: address, data: selector }, 'latest')) as string
}

describe('farthing deploy', () => {
  it('puts a token, an escrow and a RaidenChannels on a chain, and says in which transaction', async () => {
    const token = JSON.parse(
      (await deploy('token', '--symbol', 'TKN', '--decimals', '18', '--supply', '1000', '--json')).stdout,
    ) as Put
    expect(token).toMatchObject({ contract: 'DemoToken', chainId: world.chainId, deployer: deployer.address })
    expect(BigInt(await ask(token.address, '0x18160ddd'))).toBe(1_000n)
    expect(BigInt(await ask(token.address, '0x313ce567'))).toBe(18n)

    const escrow = JSON.parse((await deploy('escrow', '--challenge-period', '900', '--json')).stdout) as Put
    const trusted = ['--trusted', `${world.escrow},${world.token}`]
    const raiden = JSON.parse(
      (await deploy('raiden', '--token', token.address, '--challenge-period', '500', ...trusted, '--json')).stdout,
    ) as Put
    for (const { address, transaction, block } of [token, escrow, raiden]) {
      const receipt = (await rpc(world, 'eth_getTransactionReceipt', transaction)) as Record<string, string>
      expect([receipt.contractAddress, Number(receipt.blockNumber), receipt.from]).toEqual([
        address.toLowerCase(),
        block,
        deployer.address.toLowerCase(),
      ])
    }
    expect(BigInt(await ask(raiden.address, '0x0a00840c'))).toBe(500n)
    expect(await ask(raiden.address, '0xfc0c546a')).toContain(token.address.slice(2).toLowerCase())
    expect(await ask(raiden.address, '0x80edef8e')).toContain(deployer.address.slice(2).toLowerCase())
    expect(
      BigInt(await ask(raiden.address, `0x990030cc${world.escrow.slice(2).toLowerCase().padStart(64, '0')}`)),
    ).toBe(1n)

    const places = [
      '--rpc',
      world.anvil.url,
      '--escrow',
      escrow.address,
      '--contract',
      raiden.address,
      '--from-block',
      `${escrow.block}`,
    ]
    const served = await home.serve([
      ...places,
      '--key-file',
      deployer.keyFile,
      '--port',
      '0',
      '--files',
      home.folder,
      '--price',
      '5',
    ])
    expect(served.rails.map(({ protocol, token: taken }) => [protocol, taken])).toEqual([
      ['payment', token.address],
      ['rdn', token.address],
    ])
    await served.process.stop()
  })

  it('prints for people what to do next, and that a token for trials is worth nothing', async () => {
    const { stdout } = await deploy('token')
    const [, address] = /^address +(0x\w{40})$/m.exec(stdout) ?? []
    expect(stdout).toContain('Anyone can mint it: it is for trials, and worth nothing.')
    expect(stdout).toContain(`farthing deploy raiden --rpc ${world.anvil.url} --token ${address}`)
    const raiden = await deploy('raiden', '--token', world.token)
    const [, contract] = /^address +(0x\w{40})$/m.exec(raiden.stdout) ?? []
    const [, block] = /^block +(\d+) of chain 31337$/m.exec(raiden.stdout) ?? []
    expect(raiden.stdout).toContain(
      `farthing serve --rpc ${world.anvil.url} --contract ${contract} --from-block ${block} --upstream URL --price UNITS`,
    )
  })

  it('does not print what may be secret in the URL of a node', async () => {
    const { stdout } = await home.here([
      'deploy',
      'escrow',
      '--rpc',
      `${world.anvil.url}/?key=hidden`,
      '--key-file',
      deployer.keyFile,
    ])
    expect(stdout).toContain('farthing serve --rpc "$FARTHING_RPC" --escrow 0x')
    expect(stdout).not.toContain('hidden')
  })

  it('asks for the password of an encrypted key, and says when there is none', async () => {
    const { privateKey } = await newAccount(world, 0n)
    const [keyFile, passwordFile] = [join(home.folder, 'deployer.json'), join(home.folder, 'deployer.txt')]
    writeFileSync(keyFile, encryptKey(privateKey, 'correct horse'), { mode: 0o600 })
    writeFileSync(passwordFile, 'correct horse', { mode: 0o600 })
    const args = ['deploy', 'escrow', '--rpc', world.anvil.url, '--key-file', keyFile]
    expect((await home.here([...args, '--password-file', passwordFile])).code).toBe(0)
    const none = await home.run(args)
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--password-file FILE') as string])
  })

  it.each([
    ['escrow', ['--challenge-period', '599'], '--challenge-period: is 599. Use seconds from 600 to 2592000'],
    ['escrow', ['--challenge-period', '2592001'], '--challenge-period: is 2592001'],
    [
      'raiden',
      ['--token', `0x${'e'.repeat(40)}`, '--challenge-period', '499'],
      '--challenge-period: is 499. Use 500 blocks or more',
    ],
    [
      'raiden',
      ['--token', `0x${'e'.repeat(40)}`],
      `--token: there is no contract at 0x${'e'.repeat(40)} on chain 31337`,
    ],
    ['raiden', [], "required option '--token <address>' not specified"],
    ['raiden', ['--token', '0x12'], 'Use an address'],
    ['token', ['--decimals', '256'], 'Use a number from 0 to 255'],
    ['token', ['--supply', '1.5'], 'Use base units of the token'],
    ['escrow', ['--gas-price-cap', '0.000000001'], '--gas-price-cap: is 1 wei, and the chain asks for up to'],
  ])('puts no %s with %j', async (what, args, problem) => {
    const before = await rpc(world, 'eth_getTransactionCount', deployer.address, 'latest')
    const { code, stderr } = await deploy(what, ...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem) as string])
    expect(await rpc(world, 'eth_getTransactionCount', deployer.address, 'latest')).toBe(before)
  })

  it('says who cannot pay for it, that the token is none, and that no node answers', async () => {
    const poor = await newSeller(world, home)
    await rpc(world, 'anvil_setBalance', poor.address, '0x0')
    const at = (node: string, ...args: string[]) =>
      home.here(['deploy', ...args, '--rpc', node, '--key-file', poor.keyFile])
    const nothing = await at(world.anvil.url, 'escrow')
    expect([nothing.code, nothing.stderr]).toEqual([
      3,
      expect.stringContaining(`${poor.address} cannot pay for the transaction`) as string,
    ])
    await rpc(world, 'anvil_setBalance', poor.address, '0x1')
    const little = await at(world.anvil.url, 'escrow')
    expect([little.code, little.stderr]).toEqual([
      3,
      expect.stringContaining('cannot pay for the transaction') as string,
    ])
    const away = await at('http://127.0.0.1:9', 'escrow')
    expect([away.code, away.stderr]).toEqual([4, expect.stringContaining('No node answers') as string])
    const noToken = await deploy('raiden', '--token', world.escrow)
    expect([noToken.code, noToken.stderr]).toEqual([
      2,
      expect.stringMatching(/does not take the contract|InvalidToken/) as string,
    ])
  })
})
