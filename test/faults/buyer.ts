/** One who pays a receiver in another process, on either rail, with headers made by hand. */
import { getAddress, type Address } from 'viem'
import { expect } from 'vitest'
import { lower } from '../../src/base/read.ts'
import { channelKey, type ChannelKey } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { channelId } from '../../src/escrow/raiden-state.ts'
import { newAccount, openChannel } from '../support/market.ts'
import { openSenderChain } from '../support/uraiden/sender-chain.ts'
import { signBalance } from '../support/uraiden/signing.ts'
import { authorization, challengeOf, receiptOf, type Challenge } from '../support/wire.ts'

export type RailName = 'payment' | 'rdn'

export type RemoteBuyer = {
  readonly rail: RailName
  readonly channel: ChannelKey
  /** Headers that pay `amount`, cumulative, for an offer of `url`. */
  headers(amount: bigint, url: string, method?: string): Promise<Record<string, string>>
  /** What a receipt says of the channel. */
  totals(response: Response): Totals
}

export type Totals = { readonly authorized: bigint; readonly charged: bigint }

/** Opens a channel. The receiver may still have to hear of it. */
export function openRemoteBuyer(
  world: LocalChain,
  rail: RailName,
  receiver: Address,
  deposit: bigint,
): Promise<RemoteBuyer> {
  return rail === 'rdn' ? openRaiden(world, receiver, deposit) : openSession(world, receiver, deposit)
}

/** Waits until the receiver at `url` knows the channel; a voucher over nothing pays for nothing. */
export async function introduce(buyer: RemoteBuyer, url: string): Promise<RemoteBuyer> {
  const headers = await buyer.headers(0n, url)
  for (;;) {
    const { code } = (await (await fetch(url, { headers })).json()) as { code: string }
    if (code === 'underpaid') return buyer
    expect(code).toMatch(/^channel-(not-found|pending)$/)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function openSession(world: LocalChain, receiver: Address, deposit: bigint): Promise<RemoteBuyer> {
  const { id, voucher } = await openChannel(world, receiver, deposit)
  const offers = new Map<string, ReturnType<typeof challengeOf>>()
  return {
    rail: 'payment',
    channel: channelKey(world.chainId, world.escrow, id),
    headers: async (amount, url, method = 'GET') => {
      const place = `${method} ${url.split('?')[0]}`
      const known = offers.get(place)
      const challenge = known && isFresh(known) ? known : challengeOf(await fetch(url, { method }))
      offers.set(place, challenge)
      return { authorization: authorization(challenge, await voucher(amount)) }
    },
    totals: (response) => {
      const { authorized, charged } = receiptOf(response)
      return { authorized: BigInt(authorized!), charged: BigInt(charged!) }
    },
  }
}

/** Offers hold for five minutes. A run of many kills takes longer. */
function isFresh({ expires }: Challenge): boolean {
  return Date.parse(expires!) - Date.now() > 120_000
}

async function openRaiden(world: LocalChain, us: Address, deposit: bigint): Promise<RemoteBuyer> {
  const { privateKey: key, address } = await newAccount(world, deposit)
  const [contract, token, receiver] = [getAddress(world.raiden), getAddress(world.token), getAddress(us)]
  const opened = await openSenderChain({ url: world.anvil.url, contract, token, key }).open(receiver, deposit)
  if (!opened) throw new Error('no channel was opened')
  const { block } = opened
  const id = channelId({ sender: lower(address), receiver: lower(us), terms: { openBlock: block } })
  return {
    rail: 'rdn',
    channel: channelKey(world.chainId, world.raiden, id),
    headers: async (amount) => ({
      'RDN-Contract-Address': contract,
      'RDN-Receiver-Address': receiver,
      'RDN-Sender-Address': address,
      'RDN-Open-Block': `${block}`,
      'RDN-Balance': `${amount}`,
      'RDN-Balance-Signature': await signBalance(key, { receiver, block, balance: amount, contract }),
    }),
    totals: ({ headers }) => {
      const authorized = BigInt(headers.get('rdn-sender-balance')!)
      return { authorized, charged: authorized - BigInt(headers.get('rdn-credit')!) }
    },
  }
}
