/** One receiver, one URL, two rails: whoever knows one of them pays by it. */
import { spawn } from 'node:child_process'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, it } from 'vitest'
import type { Channel } from '../src/channel/channel.ts'
import { deploy } from '../src/chain/deploy.ts'
import { raidenChannelsCreation } from '../src/escrow/creation.ts'
import { createGateway } from '../src/gateway/gateway.ts'
import { createProxy } from '../src/proxy/proxy.ts'
import { payment, raiden, rdn, session } from '../src/rails.ts'
import { createClient, type Client, type ClientConfig } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { newAccount, newReceiver, raidenRail, railOf, startWorld, tokensOf } from './support/market.ts'
import { challengeOf, requestOf } from './support/wire.ts'

const world = await startWorld()
const receiver = await newReceiver(world, { rails: [railOf(world), raidenRail(world)] })
const shop = createProxy({
  receiver,
  routes: { 'GET /echofix/:text': { price: 5n, text: ({ params }) => params.text ?? '' } },
  mounts: [createGateway(receiver)],
})
const url = `${await shop.listen(0)}/echofix/foo`

afterAll(async () => {
  await shop.close()
  await receiver.stop()
  await world.anvil.stop()
})

describe('a receiver with two rails', () => {
  it('offers both in one answer to whoever has not paid', async () => {
    const response = await fetch(url)
    expect(response.status).toBe(402)
    expect(requestOf(challengeOf(response))).toMatchObject({ amount: '5' })
    const { headers } = response
    expect({ price: headers.get('rdn-price'), contract: headers.get('rdn-contract-address')?.toLowerCase() }).toEqual({
      price: '5',
      contract: world.raiden.toLowerCase(),
    })
    expect(await response.json()).toMatchObject({
      offers: [
        { protocol: 'payment', price: '5', receiver: receiver.address, escrow: world.escrow.toLowerCase() },
        { protocol: 'rdn', price: '5', receiver: receiver.address, escrow: world.raiden.toLowerCase() },
      ],
    })
  })

  it('is paid on each by a client that knows only that one, and closes each channel in its own way', async () => {
    const modern = await newClient({ protocols: [{ dialect: payment(), escrow: session }], escrows: [world.escrow] })
    const classic = await newClient({ protocols: [{ dialect: rdn(), escrow: raiden }], escrows: [world.raiden] })
    const [first, second] = await Promise.all([buyTwice(modern), buyTwice(classic)])
    expect(first.map(({ headers }) => [headers.has('payment-receipt'), headers.has('rdn-cost')])).toEqual([
      [true, false],
      [true, false],
    ])
    expect(second.map(({ headers }) => [headers.has('payment-receipt'), headers.has('rdn-cost')])).toEqual([
      [false, true],
      [false, true],
    ])
    expect(await ledger()).toEqual([
      { sender: modern.address, escrow: world.escrow.toLowerCase(), charged: 10n },
      { sender: classic.address, escrow: world.raiden.toLowerCase(), charged: 10n },
    ])

    const before = await tokensOf(world, receiver.address)
    for (const client of [modern, classic]) {
      const [channel] = await all(client.channels())
      expect(await (await client.channel(channel!.key)).close()).toMatchObject({ settled: 10n, refunded: 490n })
    }
    expect((await tokensOf(world, receiver.address)) - before).toBe(20n)
  })

  it('is paid on the rail that comes first for a client that knows both', async () => {
    const escrows = [world.escrow, world.raiden]
    const usual = await newClient({ escrows })
    const nostalgic = await newClient({
      escrows,
      protocols: [
        { dialect: rdn(), escrow: raiden },
        { dialect: payment(), escrow: session },
      ],
    })
    await Promise.all([buyTwice(usual), buyTwice(nostalgic)])
    const paidBy = async (client: Client) => (await all(client.channels())).map(({ escrow }) => escrow)
    expect(await paidBy(usual)).toEqual([world.escrow.toLowerCase()])
    expect(await paidBy(nostalgic)).toEqual([world.raiden.toLowerCase()])
  })

  it('has nothing for a client whose only escrow is not offered there', async () => {
    const creation = raidenChannelsCreation({ token: world.token, challengePeriod: 500 })
    const another = await deploy(world.anvil.url, privateKeyToAccount(world.accounts[5]!.privateKey), creation)
    const stranger = await newClient({ protocols: [{ dialect: rdn(), escrow: raiden }], escrows: [another] })
    await expect(stranger.session().get(url)).rejects.toThrow(/Escrow contract \S+ is unknown/)
  })
})

describe('the demo', { timeout: 60_000 }, () => {
  it('plays the same story on the other rail, to the same sums', async () => {
    const { code, stdout, stderr } = await play('--rail', 'rdn', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      requests: 23,
      paid: '115',
      deposit: '200',
      settled: '115',
      refunded: '85',
      transactions: 4,
      ok: true,
    })
    expect(stderr).toContain('They speak the RDN-* headers of µRaiden')
    expect(stderr).toMatch(/A copy of the last payment: 402, "The voucher does not cover the price/)
    expect(stderr).toMatch(/A sum that was not signed: {2}402, "The voucher's signature is not/)
    expect(stderr).toContain('the sender sends the transaction')
  })

  it('says what rails there are when it is asked for another one', async () => {
    const usage = 'There is no rail "lightning".\nUse: npm run demo -- [--rail payment|rdn] [--json]\n'
    expect(await play('--rail', 'lightning')).toEqual({ code: 2, stdout: '', stderr: usage })
  })
})

async function newClient(config: Partial<ClientConfig>): Promise<Client> {
  return createClient({
    account: (await newAccount(world)).privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 5n, deposit: 1_000n },
    escrows: [world.escrow],
    tokens: [world.token],
    retryMs: 20,
    ...config,
  })
}

async function buyTwice(client: Client): Promise<Response[]> {
  const visitor = client.session()
  const answers = [await visitor.get(url), await visitor.get(url)]
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['foo', 'foo'])
  return answers
}

/** Who has paid what, the escrow of the first rail before that of the second. */
async function ledger() {
  const channels = await all(receiver.channels())
  const rows = channels.map(({ sender, escrow, charged }) => ({ sender, escrow, charged }))
  return rows.sort(({ escrow }) => (escrow === world.escrow.toLowerCase() ? -1 : 1))
}

async function all(channels: AsyncIterable<Channel>): Promise<Channel[]> {
  const found: Channel[] = []
  for await (const channel of channels) found.push(channel)
  return found
}

function play(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts', ...args])
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })))
}
