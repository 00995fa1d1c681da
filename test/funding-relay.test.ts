/** Deposits that a sender has signed and the receiver sends: for honest senders, and for those who want its gas. */
import { encodeFunctionData, erc20Abi, parseAbi, toHex, type Address, type Hex } from 'viem'
import { privateKeyToAccount, generatePrivateKey } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChain } from '../src/chain/rpc.ts'
import { channelKey } from '../src/channel/channel.ts'
import { channelEscrowAbi as abi } from '../src/escrow/abi/channel-escrow.ts'
import { PERMIT2 } from '../src/escrow/session-signed.ts'
import type { Limits } from '../src/receiver/context.ts'
import type { Receiver, ReceiverConfig } from '../src/receiver/receiver.ts'
import {
  escrowCall,
  newAccount,
  newReceiver,
  openShop,
  railOf,
  rpc,
  startWorld,
  until,
  walletOf,
} from './support/market.ts'
import { deployed, mint, newToken, putPermit2 } from './support/tokens.ts'
import {
  authorization,
  authorized,
  challengeOf,
  channelIdOf,
  permitted,
  receiptOf,
  fundingOf,
  signedBy,
  signVoucher,
} from './support/wire.ts'

const world = await startWorld()
await putPermit2(world)
const token = await newToken(world, 'DollarToken (proxy)')
const place = { chainId: world.chainId, escrow: world.escrow, token }
const bounds: Limits['relay'] = { minDeposit: 50n, perSenderPerHour: 3, perHour: 1_000 }

type Stall = { readonly url: string; readonly receiver: Receiver }
const endings: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of endings.reverse()) await end()
  await world.anvil.stop()
})

async function newStall(limits: Partial<Limits> = {}, config: Partial<ReceiverConfig> = {}): Promise<Stall> {
  const rails = [railOf(world, token)]
  const receiver = await newReceiver(world, { rails, ...config, limits: { relay: bounds, ...limits } })
  const { url, close } = await openShop(receiver)
  endings.push(
    () => receiver.stop(),
    () => close(),
  )
  return { url, receiver }
}

let stall: Stall
beforeAll(async () => {
  stall = await newStall()
})

type Change = Record<string, unknown>

/** One with tokens and without coins, and what it signs for a stall. */
async function newHolder({ url, receiver }: Stall = stall, tokens = 1_000n) {
  const key = generatePrivateKey()
  const { address } = privateKeyToAccount(key)
  await mint(world, token, address, tokens)
  const salt = () => toHex(crypto.getRandomValues(new Uint8Array(32)))
  const terms = { key, ...place, receiver: receiver.address, salt: salt(), amount: 100n }
  const ask = async (payload: Change) =>
    fetch(`${url}/x`, { headers: { authorization: authorization(challengeOf(await fetch(`${url}/x`)), payload) } })
  /** `deposit` is what is signed, `change` what stands in the payload. */
  const opening = async (amount: bigint, deposit: Change, change: Change = {}, of = terms) => {
    const channelId = channelIdOf(of)
    const signed = { cumulativeAmount: `${amount}`, voucherSignature: await signVoucher(key, place, channelId, amount) }
    return { action: 'open', channelId, ...signed, ...deposit, ...change }
  }
  const open = async (change: Change = {}, of = terms) => ask(await opening(5n, await authorized(of), change, of))
  const toppingUp = async (amount: bigint, id = channelIdOf(terms)) => {
    const deposit = await authorized({ ...terms, amount, salt: salt(), channelId: id })
    return { action: 'topUp', channelId: id, ...deposit, additionalDeposit: `${amount}` }
  }
  const known = (id = channelIdOf(terms)) => receiver.store.get(channelKey(world.chainId, world.escrow, id))
  return { key, address, terms, salt, ask, opening, open, toppingUp, known }
}

const nonce = async (address: Address) => Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

async function held(by: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [by] })
  return BigInt(await world.chain.call({ to: token, data }))
}

/** The transactions that `work` makes a receiver send. */
async function sentBy({ receiver }: Stall, work: () => Promise<unknown>): Promise<number> {
  const before = await nonce(receiver.address)
  await work()
  return (await nonce(receiver.address)) - before
}

async function expectRefused(response: Response, status: number, code: string, fix: string): Promise<void> {
  const body = (await response.json()) as { code: string; detail: string }
  expect([response.status, body.code, body.detail]).toEqual([status, code, expect.stringContaining(fix)])
}

describe('an offer', () => {
  it('says what the receiver sends for others', async () => {
    await until(async () => fundingOf(challengeOf(await fetch(`${stall.url}/x`))).isSent === true)
    const { types } = fundingOf(challengeOf(await fetch(`${stall.url}/x`)))
    expect(types).toEqual(['authorization', 'permit2', 'hash'])
  })

  it.each([
    ['without bounds', { relay: false } as const, {}],
    ['without a wallet', {}, { address: world.accounts[3]!.address }],
  ])('says nothing of it %s, and nothing is sent', async (_what, limits, config) => {
    const here = await newStall(limits, config)
    const offered = fundingOf(challengeOf(await fetch(`${here.url}/x`)))
    expect(offered).toEqual({ types: undefined, isSent: undefined })
    const holder = await newHolder(here)
    await expectRefused(await holder.open(), 400, 'payment-unsupported', 'transaction of your own')
  })
})

describe('a signed open', () => {
  it('buys with the first request, and costs its sender no coins', async () => {
    const holder = await newHolder()
    const response = await holder.open()
    expect([response.status, await response.text()]).toEqual([200, 'foo'])
    expect(receiptOf(response)).toMatchObject({ authorized: '5', charged: '5' })
    expect(await holder.known()).toMatchObject({ deposit: 100n, charged: 5n, sender: holder.address.toLowerCase() })
    expect([await held(holder.address), await nonce(holder.address)]).toEqual([900n, 0])
  })

  it('by Permit2 does the same', async () => {
    const holder = await newHolder()
    await rpc(world, 'anvil_setBalance', holder.address, toHex(10n ** 18n))
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [PERMIT2, 100n] })
    await walletOf(world, { privateKey: holder.key }).send({ to: token, data })
    const response = await holder.ask(await holder.opening(5n, await permitted(holder.terms)))
    expect(response.status).toBe(200)
    expect(await holder.known()).toMatchObject({ deposit: 100n, charged: 5n })
  })

  it('for another signer takes that key and no other', async () => {
    const holder = await newHolder()
    const other = generatePrivateKey()
    const terms = { ...holder.terms, signer: privateKeyToAccount(other).address }
    const change = signedBy(terms.signer)
    await expectRefused(await holder.open(change, terms), 402, 'invalid-signature', 'Sign with that key')
    const voucherSignature = await signVoucher(other, place, channelIdOf(terms), 5n)
    expect((await holder.open({ ...change, voucherSignature }, terms)).status).toBe(200)
  })

  it('that is shown again is not sent again, does not pay twice and resets nothing', async () => {
    const holder = await newHolder()
    const payload = await holder.opening(5n, await authorized(holder.terms))
    const sent = await sentBy(stall, async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => holder.ask(payload)))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 402, 402, 402, 402])
      expect((await holder.ask(payload)).status).toBe(402)
    })
    expect(sent).toBe(1)
    expect(await holder.known()).toMatchObject({ deposit: 100n, charged: 5n })
  })

  it('that somebody else has sent is good all the same', async () => {
    const holder = await newHolder()
    const deposit = await authorized(holder.terms)
    const { from, validAfter, validBefore, nonce: bound } = deposit.authorization as Record<string, Hex>
    const { receiver, salt, amount } = holder.terms
    const nobody = `0x${'00'.repeat(20)}` as const
    const args = [
      receiver,
      token,
      amount,
      salt,
      nobody,
      from!,
      BigInt(validAfter!),
      BigInt(validBefore!),
      bound!,
      deposit.signature,
    ] as const
    const data = encodeFunctionData({ abi, functionName: 'openWithAuthorization', args })
    await walletOf(world, await newAccount(world, 0n)).send({ to: world.escrow, data })
    const sent = await sentBy(stall, async () => {
      expect((await holder.ask(await holder.opening(5n, deposit))).status).toBe(200)
    })
    expect(sent).toBe(0)
  })

  it('that is mined and not deep enough is told to come back, and is then good', async () => {
    const chain = createChain({ rpc: world.anvil.url, confirmations: 3, pollMs: 10 })
    const wallet = (await import('../src/chain/wallet.ts')).createWallet({
      chain,
      account: privateKeyToAccount((await newAccount(world, 0n)).privateKey),
    })
    const careful = await newStall({ fundingWaitMs: 100 }, { chain, wallet })
    const holder = await newHolder(careful)
    const payload = await holder.opening(5n, await authorized(holder.terms))
    const sent = await sentBy(careful, async () => {
      const early = await holder.ask(payload)
      await expectRefused(early, 402, 'channel-pending', 'confirmations')
      expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await holder.ask(payload)).status).toBe(402)
      await rpc(world, 'anvil_mine', '0x2')
      expect((await holder.ask(payload)).status).toBe(200)
    })
    expect(sent).toBe(1)
  })
})

describe('a signed open on its way', () => {
  it('counts once and is sent once, however often it is asked for before it is mined', async () => {
    const hasty = await newStall({ fundingWaitMs: 50, relay: { minDeposit: 50n, perSenderPerHour: 1 } })
    const holder = await newHolder(hasty)
    const payload = await holder.opening(5n, await authorized(holder.terms))
    const sent = await sentBy(hasty, async () => {
      await rpc(world, 'evm_setAutomine', false)
      try {
        for (let i = 0; i < 4; i += 1) await expectRefused(await holder.ask(payload), 402, 'channel-pending', '0 of 1')
      } finally {
        await rpc(world, 'evm_setAutomine', true)
        await rpc(world, 'evm_mine')
      }
      expect((await holder.ask(payload)).status).toBe(200)
    })
    expect(sent).toBe(1)
  })
})

describe('what would cost gas in vain is refused before, and nothing is sent', () => {
  type Holder = Awaited<ReturnType<typeof newHolder>>
  const otherEscrow = `0x${'e5'.repeat(20)}` as const
  const rows: readonly [string, number, string, string, (holder: Holder) => Promise<Response>][] = [
    [
      "the nonce of another channel's deposit",
      402,
      'invalid-signature',
      'binds it to this channel',
      async (holder) =>
        holder.ask(await holder.opening(5n, await authorized(holder.terms, { nonce: `0x${'77'.repeat(32)}` }))),
    ],
    [
      'an end that is over',
      402,
      'invalid-signature',
      'has ended',
      async (holder) => holder.ask(await holder.opening(5n, await authorized(holder.terms, { validBefore: 1n }))),
    ],
    [
      'an end that is near',
      402,
      'invalid-signature',
      'ends too soon',
      async (holder) =>
        holder.ask(
          await holder.opening(
            5n,
            await authorized(holder.terms, { validBefore: (await world.chain.head()).time + 30n }),
          ),
        ),
    ],
    [
      'a start that is not yet',
      402,
      'invalid-signature',
      'not valid yet',
      async (holder) =>
        holder.ask(await holder.opening(5n, await authorized(holder.terms, { validAfter: 3n * 10n ** 9n }))),
    ],
    [
      'another escrow',
      402,
      'wrong-channel',
      'escrow',
      async (holder) => holder.ask(await holder.opening(5n, await authorized(holder.terms, { to: otherEscrow }))),
    ],
    [
      'a signature of another key',
      402,
      'invalid-signature',
      'not signed by',
      async (holder) => {
        const { signature } = await authorized({ ...holder.terms, key: generatePrivateKey() })
        return holder.open({ signature })
      },
    ],
    [
      'a signature for another token',
      402,
      'invalid-signature',
      'not signed by',
      async (holder) => {
        const domain = { name: 'USD Coin', version: '2', chainId: place.chainId, verifyingContract: world.token }
        return holder.ask(await holder.opening(5n, await authorized(holder.terms, {}, domain)))
      },
    ],
    [
      'a voucher of another key',
      402,
      'invalid-signature',
      'Sign with that key',
      async (holder) =>
        holder.open({
          voucherSignature: await signVoucher(generatePrivateKey(), place, channelIdOf(holder.terms), 5n),
        }),
    ],
    [
      'a voucher over more than the deposit',
      402,
      'deposit-exceeded',
      'Top up',
      async (holder) => holder.ask(await holder.opening(101n, await authorized(holder.terms))),
    ],
    [
      'more than the account holds',
      400,
      'payment-unsupported',
      'holds 1000',
      async (holder) => {
        const terms = { ...holder.terms, amount: 1_001n }
        return holder.ask(await holder.opening(5n, await authorized(terms), {}, terms))
      },
    ],
    [
      'a deposit that is too small',
      400,
      'payment-unsupported',
      'at least 50',
      async (holder) => {
        const terms = { ...holder.terms, amount: 49n }
        return holder.ask(await holder.opening(5n, await authorized(terms), {}, terms))
      },
    ],
    [
      'Permit2 without an approval',
      400,
      'payment-unsupported',
      'Approve 0x',
      async (holder) => holder.ask(await holder.opening(5n, await permitted(holder.terms))),
    ],
    [
      'Permit2 for another token',
      402,
      'wrong-channel',
      'token',
      async (holder) =>
        holder.ask(
          await holder.opening(5n, await permitted(holder.terms, { permitted: { token: world.token, amount: 100n } })),
        ),
    ],
    [
      'Permit2 for another receiver',
      402,
      'wrong-channel',
      'id',
      async (holder) => {
        const terms = { ...holder.terms, receiver: world.accounts[4]!.address }
        return holder.ask(await holder.opening(5n, await permitted(terms), {}, terms))
      },
    ],
    [
      'a channel id of other terms',
      402,
      'wrong-channel',
      'id',
      (holder) => holder.open({ salt: `0x${'11'.repeat(32)}` }),
    ],
  ]

  it.each(rows)('%s', async (_what, status, code, fix, work) => {
    const holder = await newHolder()
    const sent = await sentBy(stall, async () => expectRefused(await work(holder), status, code, fix))
    expect(sent).toBe(0)
    expect([await held(holder.address), await holder.known()]).toEqual([1_000n, undefined])
  })

  it('a contract that has not signed the voucher', async () => {
    const holder = await newHolder()
    const signer = await deployed(world, 'RevertingWallet')
    const terms = { ...holder.terms, signer }
    const sent = await sentBy(stall, async () => {
      await expectRefused(await holder.open(signedBy(signer), terms), 402, 'invalid-signature', 'Sign with that key')
    })
    expect(sent).toBe(0)
  })

  it('what the token itself refuses, named by its error', async () => {
    const blocking = await deployed(world, 'BlockingToken')
    const here = await newStall({}, { rails: [railOf(world, blocking)] })
    const holder = await newHolder(here)
    const terms = { ...holder.terms, token: blocking }
    await mint(world, blocking, holder.address, 1_000n)
    const abi = parseAbi(['function setBlocked(address, bool)'])
    const block = async (value: boolean) => {
      const data = encodeFunctionData({ abi, args: [holder.address, value] })
      await world.wallet(world.accounts[7]!).send({ to: blocking, data })
    }
    await block(true)
    const sent = await sentBy(here, async () => {
      for (let i = 0; i < 4; i += 1) {
        const anew = { ...terms, salt: holder.salt() }
        const refused = await holder.ask(await holder.opening(5n, await authorized(anew), {}, anew))
        await expectRefused(refused, 400, 'payment-unsupported', 'chain would refuse')
      }
    })
    expect(sent).toBe(0)
    await block(false)
    // What was not sent counts for nothing.
    expect((await holder.open({}, terms)).status).toBe(200)
  })
})

describe('a receiver cannot be drained', () => {
  it('by one sender, which can go on by itself', async () => {
    const holder = await newHolder()
    const open = () => holder.open({}, { ...holder.terms, salt: holder.salt() })
    const sent = await sentBy(stall, async () => {
      for (let i = 0; i < 3; i += 1) {
        const terms = { ...holder.terms, salt: holder.salt() }
        expect((await holder.ask(await holder.opening(5n, await authorized(terms), {}, terms))).status).toBe(200)
      }
      await expectRefused(await open(), 400, 'payment-unsupported', 'transaction of your own')
    })
    expect(sent).toBe(3)
  })

  it('by many', async () => {
    const here = await newStall({ relay: { minDeposit: 50n, perHour: 2 } })
    const sent = await sentBy(here, async () => {
      const statuses = []
      for (let i = 0; i < 4; i += 1) statuses.push((await (await newHolder(here)).open()).status)
      expect(statuses).toEqual([200, 200, 400, 400])
    })
    expect(sent).toBe(2)
  })

  it('by refusals, which count for nothing', async () => {
    const holder = await newHolder()
    for (let i = 0; i < 5; i += 1) await holder.open({ signature: `0x${'11'.repeat(64)}1b` })
    expect((await holder.open()).status).toBe(200)
  })

  it('by a deposit that needs more gas than its bound', async () => {
    const here = await newStall({ relay: { minDeposit: 50n, gas: 60_000n } })
    const holder = await newHolder(here)
    const sent = await sentBy(here, async () => {
      await expectRefused(await holder.open(), 400, 'payment-unsupported', 'chain would refuse')
    })
    expect(sent).toBe(0)
  })

  it('without coins it says so, and sells on', async () => {
    const here = await newStall()
    await rpc(world, 'anvil_setBalance', here.receiver.address, '0x0')
    const holder = await newHolder(here)
    await expectRefused(await holder.open(), 400, 'payment-unsupported', 'transaction of your own')
  })
})

describe('a signed top up', () => {
  it('makes a larger voucher good, and is sent once however often it is shown', async () => {
    const holder = await newHolder()
    expect((await holder.open()).status).toBe(200)
    const payload = await holder.toppingUp(60n)
    const sent = await sentBy(stall, async () => {
      const answers = await Promise.all([holder.ask(payload), holder.ask(payload)])
      expect(answers.map(({ status }) => status)).toEqual([204, 204])
      expect((await holder.ask(payload)).status).toBe(204)
    })
    expect([sent, await holder.known()]).toMatchObject([1, { deposit: 160n }])
  })

  it('by Permit2 does the same', async () => {
    const holder = await newHolder()
    expect((await holder.open()).status).toBe(200)
    await rpc(world, 'anvil_setBalance', holder.address, toHex(10n ** 18n))
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [PERMIT2, 60n] })
    await walletOf(world, { privateKey: holder.key }).send({ to: token, data })
    const channelId = channelIdOf(holder.terms)
    const { salt: _none, ...deposit } = await permitted({ ...holder.terms, amount: 60n, channelId })
    const response = await holder.ask({ action: 'topUp', channelId, ...deposit, additionalDeposit: '60' })
    expect([response.status, await holder.known()]).toMatchObject([204, { deposit: 160n }])
  })

  it('of a stranger is a gift, and takes no requested close back (peer mistake 12)', async () => {
    const holder = await newHolder()
    // It owes nothing, so nobody hurries to end it.
    expect((await holder.ask(await holder.opening(0n, await authorized(holder.terms)))).status).toBe(402)
    const id = channelIdOf(holder.terms)
    const stranger = await newHolder()
    expect((await stranger.ask(await stranger.toppingUp(60n, id))).status).toBe(204)
    expect(await holder.known()).toMatchObject({ deposit: 160n, status: 'open' })

    await rpc(world, 'anvil_setBalance', holder.address, toHex(10n ** 18n))
    await walletOf(world, { privateKey: holder.key }).send(escrowCall(world, 'requestClose', id))
    await until(async () => (await holder.known())?.status === 'closing')
    const sent = await sentBy(stall, async () => {
      const late = await stranger.ask(await stranger.toppingUp(61n, id))
      await expectRefused(late, 410, 'channel-not-open', 'Pay from another channel')
    })
    expect(sent).toBe(0)
    const data = encodeFunctionData({ abi, functionName: 'getChannel', args: [id] })
    const word = (await world.chain.call({ to: world.escrow, data })).slice(66, 130)
    expect(BigInt(`0x${word}`)).toBeGreaterThan(0n)
  })

  it('of a channel that is not there, or not open, is refused', async () => {
    const holder = await newHolder()
    const response = await holder.ask(await holder.toppingUp(60n))
    await expectRefused(response, 410, 'channel-not-found', 'Open one')
  })
})
