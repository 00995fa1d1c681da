/**
 * What the receiver accepts the contract honours, and the other way round: the same vouchers, honest, mutated and
 * made up, shown to the receiver and to the escrow on a real node. `VOUCHERS=n` asks about more, `SEED=n` asks again.
 */
import type { Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, it } from 'vitest'
import { PaymentError } from '../src/base/errors.ts'
import { deploy } from '../src/chain/deploy.ts'
import type { Channel, Voucher } from '../src/channel/channel.ts'
import { charge } from '../src/channel/ledger.ts'
import { readPayload } from '../src/dialect/payment-payload.ts'
import { readSignature } from '../src/dialect/rdn-fields.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import { verifyVoucher } from '../src/receiver/verify.ts'
import { seeded } from './faults/random.ts'
import { compile, walletSource } from './support/compile.ts'
import { openJudge, type Shown } from './support/judge.ts'
import { newBuyer, newReceiver, startWorld } from './support/market.ts'
import { railKits, type RailKit, type SignChange } from './support/rail-kits.ts'

/** On each rail. */
const VOUCHERS = Number(process.env.VOUCHERS ?? 50_000)
/** Of other signers; a contract is asked about each. */
const OF_OTHERS = Math.ceil(VOUCHERS / 25)
const CHANNELS = 4
/** As many as fit the gas of one question. */
const TOGETHER = 100
const DEPOSIT = 1_000_000n

const world = await startWorld()
afterAll(() => world.anvil.stop())
const judge = await openJudge(world)
const { seed, random, pick } = seeded()

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const below = (most: bigint) => (most * BigInt(Math.floor(random() * 2 ** 30))) >> 30n
const word = (value: bigint) => value.toString(16).padStart(64, '0')
const byte = () => Math.floor(random() * 256)
const bytes = (length: number) => Buffer.from(Array.from({ length }, byte)).toString('hex')

type Parts = { readonly r: string; readonly s: string; readonly v: string }

/** What can be done to the three parts of a signature. */
const mutations: readonly ((parts: Parts) => string)[] = [
  ({ r, s, v }) => r + s + v,
  ({ r, s, v }) => flipped(r + s + v),
  ({ r, s }) => r + s + pick(['00', '01', '1a', '1b', '1c', '1d', '1e', 'ff', bytes(1)]),
  ({ r, s, v }) => r + word(ORDER - BigInt(`0x${s}`)) + pick([v, v === '1b' ? '1c' : '1b']),
  ({ r, s, v }) => r + word(BigInt(`0x${s}`) + (v === '1c' ? 1n << 255n : 0n)),
  ({ r, s, v }) => s + r + v,
  ({ r, s, v }) => (r + s + v).slice(0, 2 * pick([0, 1, 32, 63, 64])),
  ({ r, s, v }) => r + s + v + bytes(pick([1, 31, 32])),
  ({ s, v }) => word(pick([0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n])) + s + v,
  ({ r, v }) => r + word(pick([0n, 1n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, 2n ** 256n - 1n])) + v,
  () => bytes(64) + pick(['1b', '1c']),
  () => bytes(Math.floor(random() * 70)),
]

function flipped(hex: string): string {
  const all = Buffer.from(hex, 'hex')
  const at = Math.floor(random() * all.length)
  all[at] = all[at]! ^ (1 << Math.floor(random() * 8))
  return all.toString('hex')
}

/** As the dialect reads it. */
function read(name: RailKit['name'], { id, amount, signature }: Shown): Voucher {
  if (name === 'rdn') return { cumulativeAmount: amount, signature: readSignature(signature, 'RDN-Balance-Signature') }
  const payload = { action: 'voucher', channelId: id, cumulativeAmount: `${amount}`, signature }
  return readPayload(payload, undefined).voucher!
}

/** Whether we would sell for one base unit. */
async function accepts(name: RailKit['name'], receiver: Receiver, channel: Channel, shown: Shown): Promise<boolean> {
  const [rail] = receiver.rails
  try {
    const voucher = read(name, shown)
    await verifyVoucher(receiver, { rail: rail!, channel }, voucher)
    charge(channel, voucher, 1n, rail!.dialect.due)
    return true
  } catch (error) {
    if (error instanceof PaymentError) return false
    throw error
  }
}

type Signed = { readonly channel: Channel; readonly amount: bigint; readonly signature: Hex }

/** Amounts that matter, and some of the others. */
const amounts = [
  ...[0n, 1n, DEPOSIT - 1n, DEPOSIT, DEPOSIT + 1n, 2n ** 96n, 2n ** 128n - 1n],
  ...Array.from({ length: 43 }, () => 1n + below(DEPOSIT)),
]

function shownOf({ channel, amount, signature }: Signed): Shown {
  const parts = { r: signature.slice(2, 66), s: signature.slice(66, 130), v: signature.slice(130) }
  const block = (channel.terms as { openBlock?: number }).openBlock ?? 0
  const place = { id: channel.id, block }
  if (random() < 0.3) return { ...place, amount, signature }
  if (random() < 0.15) return { ...place, amount: pick(amounts), signature }
  return { ...place, amount, signature: `0x${pick(mutations)(parts)}` }
}

/** Shows `count` vouchers to both. Returns how many both accepted, and what they disagreed about. */
async function compare(name: RailKit['name'], receiver: Receiver, signed: readonly Signed[], count: number) {
  let accepted = 0
  const disagreed: unknown[] = []
  for (let asked = 0; asked < count; asked += TOGETHER) {
    const picked = Array.from({ length: TOGETHER }, () => pick(signed))
    const shown = picked.map(shownOf)
    const verdicts = await judge.judge(name, shown)
    for (const [at, voucher] of shown.entries()) {
      const ours = await accepts(name, receiver, picked[at]!.channel, voucher)
      if (ours) accepted += 1
      if (verdicts[at]!.some((theirs) => theirs !== ours)) disagreed.push({ ours, theirs: verdicts[at], ...voucher })
    }
  }
  return { accepted, disagreed }
}

describe.each(railKits)('vouchers on the rail $name', ({ name, rail, openBuyer }) => {
  it(`mean the same to the receiver and to its contract (seed ${seed})`, { timeout: 600_000 }, async () => {
    const receiver = await newReceiver(world, { address: judge.address, rails: [rail(world)] })
    const signed: Signed[] = []
    for (let opened = 0; opened < CHANNELS; opened += 1) {
      const buyer = await openBuyer(world, receiver, DEPOSIT)
      const channel = (await buyer.known())!
      const add = async (amount: bigint, change?: SignChange) =>
        signed.push({ channel, amount, signature: await buyer.sign(amount, change) })
      for (const amount of amounts) await add(amount)
      await add(7n, { otherChannel: true })
      await add(7n, { contract: world.token })
      await add(7n, { key: generatePrivateKey() })
    }
    const { accepted, disagreed } = await compare(name, receiver, signed, VOUCHERS)
    expect(disagreed).toEqual([])
    expect(accepted / VOUCHERS).toBeGreaterThan(0.2)
    expect(accepted / VOUCHERS).toBeLessThan(0.6)
    await receiver.stop()
  })
})

describe('vouchers of other signers', () => {
  const owner = generatePrivateKey()
  const { address } = privateKeyToAccount(owner)
  const wallet = () => {
    const deployer = privateKeyToAccount(world.accounts[9]!.privateKey)
    return deploy(world.anvil.url, deployer, compile('Wallet', walletSource, [{ type: 'address' }], [address]))
  }

  it.each([
    ['a key of its own', () => Promise.resolve(address), ''],
    ['a contract, which takes 66 bytes', wallet, '00'],
  ])(`mean the same to both: %s (seed ${seed})`, { timeout: 600_000 }, async (_what, signerOf, suffix) => {
    const receiver = await newReceiver(world, { address: judge.address })
    const buyer = await newBuyer(world, receiver, DEPOSIT, await signerOf())
    const channel = (await buyer.known())!
    const signed = await Promise.all(
      amounts.map(async (amount): Promise<Signed> => {
        return { channel, amount, signature: `${await buyer.sign(amount, owner)}${suffix}` as Hex }
      }),
    )
    const { accepted, disagreed } = await compare('payment', receiver, signed, OF_OTHERS)
    expect(disagreed).toEqual([])
    expect(accepted / OF_OTHERS).toBeGreaterThan(0.2)
    await receiver.stop()
  })
})
