/**
 * Clients of 2018 buy from our receiver, on a real chain and over real sockets. What they send, and what they expect,
 * stands in test/vectors/uraiden-conversations.json and in the code of test/support/uraiden.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { newAccount, rpc, startWorld, until } from '../support/market.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { createUraidenClient, type ClientOptions } from '../support/uraiden/client.ts'
import { header, openConnection, sentHeader } from '../support/uraiden/exchange.ts'
import { paymentSuite, proofLines, rdn, type Buyer } from '../support/uraiden/payment-suite.ts'
import { openSenderChain } from '../support/uraiden/sender-chain.ts'
import { signBalance } from '../support/uraiden/signing.ts'
import { openStall, type Stall, type StallOptions } from '../support/uraiden/stall.ts'

const world = await startWorld()
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})
afterAll(() => world.anvil.stop())

paymentSuite('ours', () => openStall(world))

async function stallOf(options?: StallOptions): Promise<Stall> {
  const stall = await openStall(world, options)
  endings.push(() => stall.close())
  return stall
}

async function clientOf(stall: Stall, options: Partial<ClientOptions> & { by?: 'transfer' | 'approve' } = {}) {
  const { privateKey: key } = await newAccount(world)
  const { by = 'transfer', ...rest } = options
  const { contract, token } = stall
  const chain = openSenderChain({ url: world.anvil.url, contract, token, key, by })
  // What the original slept through: a block, or the next look at the chain.
  const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 20))
  const client = await createUraidenClient({ key, contract, chain, wait, ...rest })
  endings.unshift(() => client.end())
  return { client, key, chain }
}

async function payingBuyer(stall: Stall, deposit = 70n) {
  const buyer = await stall.open(deposit)
  const connection = openConnection()
  endings.unshift(() => connection.close())
  const pay = async (balance: bigint, path = '/a') =>
    connection.send('GET', `${stall.url}${path}`, [['Host', '127.0.0.1'], ...(await proofLines(stall, buyer, balance))])
  const sign = (balance: bigint) => signBalance(buyer.key, { ...stall, block: buyer.block, balance })
  return { buyer, pay, sign }
}

describe('the client of 2018', () => {
  it.each(['transfer', 'approve'] as const)('opens a channel by %s and pays, again and again', async (by) => {
    const stall = await stallOf()
    const { client } = await clientOf(stall, { by })
    for (const path of ['/a', '/b'])
      expect(await client.get(`${stall.url}${path}`)).toMatchObject({ status: 200, body: 'foo' })
    const told = client.exchanges.filter(({ answer }) => header(answer, 'RDN-Nonexisting-Channel') === undefined)
    expect(told.map((exchange) => [sentHeader(exchange, 'RDN-Balance'), exchange.answer.status])).toEqual([
      [undefined, 402],
      ['7', 200],
      ['7', 402],
      ['14', 200],
    ])
  })

  it('gets a receipt with what it has paid', async () => {
    const stall = await stallOf()
    const { client } = await clientOf(stall)
    const answer = await client.get(`${stall.url}/a`)
    const { address } = client
    expect(new Map(rdn(answer))).toEqual(
      new Map([
        ['RDN-Gateway-Path', '/api/1'],
        ['RDN-Receiver-Address', stall.receiver],
        ['RDN-Contract-Address', stall.contract],
        ['RDN-Token-Address', stall.token],
        ['RDN-Price', '7'],
        ['RDN-Cost', '7'],
        ['RDN-Sender-Address', address],
        ['RDN-Sender-Balance', '7'],
        ['RDN-Credit', '0'],
      ]),
    )
  })

  it('that has lost its memory is told its last balance with its own signature, adopts it and pays', async () => {
    const stall = await stallOf()
    const { client, key, chain } = await clientOf(stall)
    for (const path of ['/a', '/b']) await client.get(`${stall.url}${path}`)
    const { contract } = stall
    const fresh = await createUraidenClient({ key, contract, chain })
    endings.unshift(() => fresh.end())
    expect(await fresh.get(`${stall.url}/c`)).toMatchObject({ status: 200 })
    const [, step, paid] = fresh.exchanges
    expect(sentHeader(step!, 'RDN-Balance')).toBe('7')
    expect(header(step!.answer, 'RDN-Invalid-Amount')).toBe('1')
    expect(header(step!.answer, 'RDN-Sender-Balance')).toBe('14')
    expect(sentHeader(paid!, 'RDN-Balance')).toBe('21')
  })

  it('sends its body with both requests, and the resource sees it once', async () => {
    const bodies: string[] = []
    const stall = await stallOf({
      handler: async (request, response) => {
        let body = ''
        for await (const chunk of request) body += String(chunk)
        bodies.push(body)
        response.end('foo')
      },
    })
    const { client } = await clientOf(stall)
    expect(await client.request('POST', `${stall.url}/a`, { body: 'x=1' })).toMatchObject({ status: 200 })
    expect(bodies).toEqual(['x=1'])
  })

  it('pays the new price when it rises before the payment', async () => {
    let price = 7n
    const stall = await stallOf({ price: () => price })
    const { client } = await clientOf(stall, {
      onAnswer: () => {
        price = 9n
        return true
      },
    })
    expect(await client.get(`${stall.url}/a`)).toMatchObject({ status: 200 })
    const refused = client.exchanges.find(({ answer }) => header(answer, 'RDN-Invalid-Amount') === '1')!
    expect(header(refused.answer, 'RDN-Price')).toBe('9')
    expect(header(refused.answer, 'RDN-Sender-Balance')).toBe('0')
    expect(header(refused.answer, 'RDN-Balance-Signature')).toBeUndefined()
    expect(sentHeader(client.exchanges.at(-1)!, 'RDN-Balance')).toBe('9')
  })

  it('tops up when the deposit runs low', async () => {
    const stall = await stallOf()
    const { client } = await clientOf(stall, { initialDeposit: () => 7n, topUpDeposit: () => 7n })
    for (let visit = 0; visit < 3; visit += 1) expect((await client.get(`${stall.url}/a`)).status).toBe(200)
    expect(client.channel()).toMatchObject({ deposit: 21n, balance: 21n })
  })

  it('is not charged for an answer that failed: the same payment is good again', async () => {
    let broken = true
    const stall = await stallOf({
      handler: (_request, response) => {
        response.statusCode = broken ? 500 : 200
        response.end('foo')
      },
    })
    const { buyer, pay } = await payingBuyer(stall)
    expect((await pay(7n)).status).toBe(500)
    expect(await stall.known(buyer)).toMatchObject({ charged: 0n, voucher: { cumulativeAmount: 7n } })
    broken = false
    expect((await pay(7n)).status).toBe(200)
    expect((await pay(7n)).status).toBe(402)
  })
})

describe('what is over', () => {
  it('is credit for later requests, in whatever order they come', async () => {
    const stall = await stallOf()
    const { buyer, pay } = await payingBuyer(stall)
    const answers = [await pay(21n), await pay(7n), await pay(14n), await pay(21n)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 402])
    expect(answers.map((answer) => header(answer, 'RDN-Credit'))).toEqual(['14', '7', '0', '0'])
    expect(await stall.known(buyer)).toMatchObject({ charged: 21n, voucher: { cumulativeAmount: 21n } })
  })

  it('a proof that is there already, with less credit than the price, is told the amounts without a flag', async () => {
    const stall = await stallOf()
    const { pay, sign } = await payingBuyer(stall)
    await pay(9n)
    const answer = await pay(9n)
    expect(answer.status).toBe(402)
    expect(header(answer, 'RDN-Invalid-Amount')).toBeUndefined()
    expect(header(answer, 'RDN-Sender-Balance')).toBe('9')
    expect(header(answer, 'RDN-Credit')).toBe('2')
    expect(header(answer, 'RDN-Balance-Signature')).toBe(await sign(9n))
  })
})

it('a sender that gets code later is still asked for its own signature: the contract takes no other', async () => {
  const stall = await stallOf()
  const { buyer, pay } = await payingBuyer(stall)
  // Answers every question with the word that says yes to a signature.
  const yes = '0x7f1626ba7e0000000000000000000000000000000000000000000000000000000060005260206000f3'
  await rpc(world, 'anvil_setCode', buyer.sender, yes)
  const stranger = { ...buyer, key: `0x${'66'.repeat(32)}` } as const
  const connection = openConnection()
  endings.unshift(() => connection.close())
  const forged = await connection.send('GET', `${stall.url}/a`, [
    ['Host', 'x'],
    ...(await proofLines(stall, stranger, 7n)),
  ])
  expect([forged.status, header(forged, 'RDN-Invalid-Balance-Proof')]).toEqual([402, '1'])
  expect((await pay(7n)).status).toBe(200)
})

describe('a deposit that is not deep enough', () => {
  const patient = async () => {
    const chain = createChain({ rpc: world.anvil.url, confirmations: 4, pollMs: 10 })
    return stallOf({ config: { chain } })
  }
  const mine = (blocks: number) => rpc(world, 'anvil_mine', `0x${blocks.toString(16)}`)

  it('is known and not trusted: a channel waits', async () => {
    const stall = await patient()
    const { privateKey: key, address: sender } = await newAccount(world)
    const { contract, token, receiver } = stall
    const opened = (await openSenderChain({ url: world.anvil.url, contract, token, key }).open(receiver, 70n))!
    const buyer: Buyer = { key, sender, block: opened.block }
    const connection = openConnection()
    endings.unshift(() => connection.close())
    const pay = async () =>
      connection.send('GET', `${stall.url}/a`, [['Host', 'x'], ...(await proofLines(stall, buyer, 7n))])
    await until(async () => header(await pay(), 'RDN-Insufficient-Confirmations') === '1')
    expect(await stall.known(buyer)).toBeUndefined()
    await mine(4)
    await until(async () => (await pay()).status === 200)
    expect(stall.shop.calls.length).toBe(1)
  })

  it('is known and not trusted: a top up waits', async () => {
    const stall = await patient()
    const { privateKey: key, address: sender } = await newAccount(world)
    const { contract, token, receiver } = stall
    const chain = openSenderChain({ url: world.anvil.url, contract, token, key })
    const opened = (await chain.open(receiver, 7n))!
    await mine(4)
    const buyer: Buyer = { key, sender, block: opened.block }
    await until(async () => (await stall.known(buyer)) !== undefined)
    await chain.topUp(opened, 7n)
    const connection = openConnection()
    endings.unshift(() => connection.close())
    const pay = async () =>
      connection.send('GET', `${stall.url}/a`, [['Host', 'x'], ...(await proofLines(stall, buyer, 14n))])
    await until(async () => header(await pay(), 'RDN-Insufficient-Confirmations') === '1')
    expect(await stall.known(buyer)).toMatchObject({ deposit: 7n, charged: 0n })
    await mine(4)
    await until(async () => (await pay()).status === 200)
    expect(await stall.known(buyer)).toMatchObject({ deposit: 14n, charged: 7n })
  })
})

describe('the end of a channel', () => {
  it('that its sender asks for with less than it owes is answered on chain with what it owes', async () => {
    const stall = await stallOf()
    const { client, chain } = await clientOf(stall)
    for (const path of ['/a', '/b']) await client.get(`${stall.url}${path}`)
    const channel = client.channel()!
    await chain.closeAlone(channel, 0n)
    const buyer = { key: '0x', sender: client.address, block: channel.block } as const
    await until(async () => (await stall.known(buyer))?.status === 'closed')
    expect(await stall.known(buyer)).toMatchObject({ settled: 14n })
  })

  it('with all that it owes is left to the sender, and nothing is sold any more', async () => {
    const stall = await stallOf()
    let looks = 0
    const { client, chain } = await clientOf(stall, { onAnswer: () => (looks += 1) < 12 })
    await client.get(`${stall.url}/a`)
    const channel = client.channel()!
    await chain.closeAlone(channel, 7n)
    const buyer = { key: '0x', sender: client.address, block: channel.block } as const
    await until(async () => (await stall.known(buyer))?.status === 'closing')
    const refused = await client.get(`${stall.url}/a`)
    expect(header(refused, 'RDN-Nonexisting-Channel')).toBe('1')
    expect(await stall.us.settle()).toEqual([])
    await rpc(world, 'anvil_mine', '0x1f6')
    await chain.settle(channel)
    await until(async () => (await stall.known(buyer))?.status === 'closed')
    expect(await stall.known(buyer)).toMatchObject({ settled: 7n })
  })

  it('that the receiver brings about takes what was paid, and the rest goes back', async () => {
    const stall = await stallOf()
    const { client } = await clientOf(stall)
    await client.get(`${stall.url}/a`)
    const buyer = { key: '0x', sender: client.address, block: client.channel()!.block } as const
    const { key } = (await stall.known(buyer))!
    await stall.us.close(key)
    await until(async () => (await stall.known(buyer))?.status === 'closed')
    expect(await stall.known(buyer)).toMatchObject({ settled: 7n })
  })

  it('is not needed to settle: the channel stays open, and is settled again', async () => {
    const stall = await stallOf()
    const { client } = await clientOf(stall)
    const buyer = () => ({ key: '0x', sender: client.address, block: client.channel()!.block }) as const
    for (const settled of [7n, 14n]) {
      expect((await client.get(`${stall.url}/a`)).status).toBe(200)
      expect(await stall.us.settle()).toMatchObject([{ amount: 7n, ok: true }])
      await until(async () => (await stall.known(buyer()))?.settled === settled)
    }
    expect(await stall.known(buyer())).toMatchObject({ status: 'open', charged: 14n })
  })
})
