/**
 * One who pays on each rail, with headers made by hand: what the promises of
 * test/rails.test.ts are held against. The signatures of the second rail are those of
 * test/vectors/uraiden-conversations.json.
 */
import { getAddress, type Address, type Hex } from 'viem'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { channelKey, type Channel } from '../../src/channel/channel.ts'
import { lower } from '../../src/base/read.ts'
import { channelId } from '../../src/escrow/raiden-state.ts'
import type { AnyRail } from '../../src/receiver/rail.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { escrowCall, newAccount, newBuyer, railOf, raidenRail, rpc, until } from './market.ts'
import { openSenderChain } from './uraiden/sender-chain.ts'
import { signBalance } from './uraiden/signing.ts'
import { challengeOf, signVoucher } from './wire.ts'

export type RailBuyer = {
  readonly sender: Address
  /** The stored channel as the receiver sees it. */
  known(): Promise<Channel | undefined>
  pay(url: string, amount: bigint, options?: PayOptions): Promise<Response>
  /** A voucher's signature; `change`: over something else. */
  sign(amount: bigint, change?: SignChange): Promise<Hex>
  /** Asks on chain to close, stating nothing owed. */
  requestClose(): Promise<unknown>
  /** Lets the challenge period go by, and takes the rest. */
  withdraw(): Promise<unknown>
}

export type PayOptions = { readonly signature?: Hex; readonly key?: string; readonly init?: RequestInit }
export type SignChange = { readonly key?: Hex; readonly contract?: Address; readonly otherChannel?: true }

export type RailKit = {
  readonly name: 'payment' | 'rdn'
  rail(world: LocalChain): AnyRail
  openBuyer(world: LocalChain, receiver: Receiver, deposit?: bigint): Promise<RailBuyer>
}

const paymentKit: RailKit = {
  name: 'payment',
  rail: (world) => railOf(world),
  openBuyer: async (world, receiver, deposit) => {
    const { account, wallet, id, known, pay, sign } = await newBuyer(world, receiver, deposit)
    const place = { chainId: world.chainId, escrow: world.escrow }
    return {
      sender: account.address,
      known,
      pay: async (url, amount, { signature, ...options } = {}) => {
        // An offer may be for one method only.
        const { method = 'GET' } = options.init ?? {}
        const challenge = challengeOf(await fetch(url, { method }))
        return pay(url, amount, { ...options, challenge, ...(signature && { change: { signature } }) })
      },
      sign: (amount, { key = account.privateKey, contract, otherChannel } = {}) =>
        contract || otherChannel
          ? signVoucher(key, { ...place, escrow: contract ?? place.escrow }, otherChannel ? OTHER : id, amount)
          : sign(amount, key),
      requestClose: () => wallet.send(escrowCall(world, 'requestClose', id)),
      withdraw: async () => {
        await rpc(world, 'evm_increaseTime', 901)
        await rpc(world, 'evm_mine')
        await wallet.send(escrowCall(world, 'withdraw', id))
      },
    }
  },
}

const OTHER = `0x${'22'.repeat(32)}` as const

const rdnKit: RailKit = {
  name: 'rdn',
  rail: raidenRail,
  openBuyer: async (world, us, deposit = 1_000n) => {
    const { privateKey: key, address: sender } = await newAccount(world)
    const [contract, token, receiver] = [world.raiden, world.token, us.address].map((it) => getAddress(it)) as Three
    const chain = openSenderChain({ url: world.anvil.url, contract, token, key })
    const channel = (await chain.open(receiver, deposit))!
    const id = channelId({ sender: lower(sender), receiver: us.address, terms: { openBlock: channel.block } })
    const known = () => us.store.get(channelKey(world.chainId, world.raiden, id))
    await until(async () => (await known()) !== undefined)
    const sign = (balance: bigint, change: SignChange = {}) =>
      signBalance(change.key ?? key, {
        receiver,
        block: channel.block + (change.otherChannel ? 1 : 0),
        balance,
        contract: change.contract ?? contract,
      })
    const headers = async (balance: bigint, signature?: Hex) => ({
      'RDN-Contract-Address': contract,
      'RDN-Receiver-Address': receiver,
      'RDN-Sender-Address': sender,
      'RDN-Open-Block': `${channel.block}`,
      'RDN-Balance': `${balance}`,
      'RDN-Balance-Signature': signature ?? (await sign(balance)),
    })
    return {
      sender,
      known,
      sign,
      pay: async (url, amount, { signature, key: name, init } = {}) =>
        fetch(url, {
          ...init,
          headers: { ...(await headers(amount, signature)), ...(name !== undefined && { 'Idempotency-Key': name }) },
        }),
      requestClose: () => chain.closeAlone(channel, 0n),
      withdraw: async () => {
        await rpc(world, 'anvil_mine', '0x1f5')
        await chain.settle(channel)
      },
    }
  },
}

type Three = [Address, Address, Address]

export const railKits: readonly RailKit[] = [paymentKit, rdnKit]
