/** `farthing deploy`: contracts that can be sold with, by the command that it prints. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  getAddress,
  getContractAddress,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  type Address,
  type Hex,
} from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBy } from '../../src/cli/creation.ts'
import { encryptKey } from '../../src/cli/keystore.ts'
import { startLocalChain, type LocalChain } from '../../src/cli/local-chain.ts'
import { deploymentOn, escrowAddress, escrowCreationCall, PROXY, proxyCreation } from '../../src/escrow/deployments.ts'
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

const saltOf = (name: string): Hex => keccak256(`0x${Buffer.from(name).toString('hex')}`)

/** What a contract answers to a function without arguments. */
async function ask(address: Address, selector: string, chain = world): Promise<string> {
  return (await rpc(chain, 'eth_call', { to: address, data: selector }, 'latest')) as string
}

describe('farthing deploy', () => {
  it('puts a token, an escrow and a RaidenChannels on a chain, and says in which transaction', async () => {
    const token = JSON.parse(
      (await deploy('token', '--symbol', 'TKN', '--decimals', '18', '--supply', '1000', '--json')).stdout,
    ) as Put
    expect(token).toMatchObject({ contract: 'DemoToken', chainId: world.chainId, deployer: deployer.address })
    expect(BigInt(await ask(token.address, '0x18160ddd'))).toBe(1_000n)
    expect(BigInt(await ask(token.address, '0x313ce567'))).toBe(18n)

    const escrow = JSON.parse((await deploy('escrow', '--challenge-period', '900', '--plain', '--json')).stdout) as Put
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
    const args = ['deploy', 'escrow', '--plain', '--rpc', world.anvil.url, '--key-file', keyFile]
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
    ['escrow', ['--salt', '0x12'], 'Use 32 bytes'],
    [
      'escrow',
      ['--salt', saltOf('dear'), '--gas-price-cap', '0.000000001'],
      '--gas-price-cap: is 1 wei, and the chain asks for up to',
    ],
    [
      'escrow',
      ['--plain', '--gas-price-cap', '0.000000001'],
      '--gas-price-cap: is 1 wei, and the chain asks for up to',
    ],
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
    const nothing = await at(world.anvil.url, 'escrow', '--salt', saltOf('poor'))
    const plain = await at(world.anvil.url, 'escrow', '--plain')
    expect([plain.code, plain.stderr]).toEqual([3, expect.stringContaining('cannot pay for the transaction') as string])
    expect([nothing.code, nothing.stderr]).toEqual([
      3,
      expect.stringContaining(`${poor.address} cannot pay for the transaction`) as string,
    ])
    await rpc(world, 'anvil_setBalance', poor.address, '0x1')
    const little = await at(world.anvil.url, 'escrow', '--salt', saltOf('poor'))
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

/** Printed by `--json` for an escrow. */
type Answer = {
  readonly address: Address
  readonly transaction: Hex | null
  readonly block: number | null
  readonly there: boolean
}

describe('farthing deploy escrow', () => {
  const deployOn = (chain: LocalChain, ...args: string[]): Promise<Ran> =>
    home.here(['deploy', 'escrow', ...args, '--json', '--rpc', chain.anvil.url, '--key-file', deployer.keyFile])
  const answerOf = ({ code, stdout, stderr }: Ran): Answer => {
    expect([code, stderr.replace(/.*without a password.*\n/, '')]).toEqual([0, ''])
    return JSON.parse(stdout) as Answer
  }
  const codeOf = (chain: LocalChain, at: Address) => rpc(chain, 'eth_getCode', at, 'latest') as Promise<Hex>
  const nonce = (chain: LocalChain) => rpc(chain, 'eth_getTransactionCount', deployer.address, 'latest')

  it('has one address on every chain', async () => {
    const other = await startLocalChain({ chainId: 4_242 })
    try {
      await rpc(other, 'anvil_setBalance', deployer.address, '0xde0b6b3a7640000')
      const args = ['--challenge-period', '700']
      const [here, there] = [answerOf(await deployOn(world, ...args)), answerOf(await deployOn(other, ...args))]
      expect(here.address.toLowerCase()).toBe(escrowAddress(700n))
      expect(there.address).toBe(here.address)
      for (const chain of [world, other]) expect(BigInt(await ask(here.address, '0x956c8327', chain))).toBe(700n)
      expect(await codeOf(other, here.address)).toHaveLength((await codeOf(world, here.address)).length)
    } finally {
      await other.anvil.stop()
    }
  })

  it('sends nothing when it is there already, and looks at no key', async () => {
    const first = answerOf(await deployOn(world))
    expect(first.there).toBe(true)
    expect(first.address.toLowerCase()).toBe(deploymentOn(world.chainId).address)
    const before = await nonce(world)
    const keyless = await home.here(['deploy', 'escrow', '--rpc', world.anvil.url])
    expect([keyless.code, keyless.stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^address +${first.address}$[^]*there already, nothing was sent`, 'm'),
      ) as string,
    ])
    expect(answerOf(await deployOn(world))).toMatchObject({ address: first.address, transaction: null, there: true })
    expect(await nonce(world)).toBe(before)
  })

  it('is there, too, when another was faster after the look', async () => {
    const salt = saltOf('race')
    answerOf(await deployOn(world, '--salt', salt))
    const { chain } = world
    const creation = { chain, privateKey: deployer.privateKey, cap: 10n ** 12n, say: () => undefined, proxy: false }
    const call = escrowCreationCall(86_400n, salt)
    expect(await createBy(call, escrowAddress(86_400n, salt), creation)).toBeUndefined()
    await expect(createBy(call, escrowAddress(86_400n, saltOf('nobody')), creation)).rejects.toThrow('reverts')
  })

  it('says with --dry-run where it would be, and sends nothing', async () => {
    const before = await nonce(world)
    const args = ['--salt', saltOf('dry'), '--dry-run']
    const answer = answerOf(await deployOn(world, ...args))
    expect(answer).toMatchObject({ transaction: null, block: null, there: false })
    expect(answer.address.toLowerCase()).toBe(escrowAddress(86_400n, saltOf('dry')))
    const { stdout } = await home.here(['deploy', 'escrow', ...args, '--rpc', world.anvil.url])
    expect(stdout).toContain('not there yet')
    expect(stdout).not.toContain('Sell with it')
    expect([await nonce(world), await codeOf(world, answer.address)]).toEqual([before, '0x'])
    expect(answerOf(await deployOn(world, '--salt', saltOf('dry'))).address).toBe(answer.address)
  })

  it('puts the deployment proxy on a chain that has none, when it is told to', async () => {
    const bare = await startLocalChain({ chainId: 4_243 })
    try {
      await rpc(bare, 'anvil_setBalance', deployer.address, '0xde0b6b3a7640000')
      const usual = await codeOf(bare, PROXY)
      await rpc(bare, 'anvil_setCode', PROXY, '0x')
      const refused = await deployOn(bare)
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining('--proxy: is needed. This chain has no deterministic deployment proxy') as string,
      ])
      expect(answerOf(await deployOn(bare, '--plain')).address.toLowerCase()).not.toBe(escrowAddress(86_400n))
      await rpc(bare, 'anvil_setNonce', PROXY, '0x0')
      const answer = answerOf(await deployOn(bare, '--proxy'))
      expect(answer.address.toLowerCase()).toBe(escrowAddress(86_400n))
      expect(await codeOf(bare, PROXY)).toBe(usual)
    } finally {
      await bare.anvil.stop()
    }
  })

  it('is where the reference says', () => {
    const address = getAddress(deploymentOn(1).address)
    expect(readFileSync('docs/reference/contract.md', 'utf8')).toContain(`is at\n\n\`${address}\`\n`)
  })

  it('knows the transaction that puts the proxy there', async () => {
    const { transaction, sender, cost } = proxyCreation
    const { gas = 0n, gasPrice = 0n, to, chainId } = parseTransaction(transaction)
    expect([gas * gasPrice, to, chainId]).toEqual([cost, undefined, undefined])
    const serializedTransaction = transaction as Parameters<
      typeof recoverTransactionAddress
    >[0]['serializedTransaction']
    expect((await recoverTransactionAddress({ serializedTransaction })).toLowerCase()).toBe(sender)
    expect(getContractAddress({ from: sender, nonce: 0n }).toLowerCase()).toBe(PROXY)
  })
})
