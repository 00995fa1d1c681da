/**
 * A receiver's earnings, taken while no server runs: its state file, brought up to date with the chain.
 *
 * What reads the chain has no key, so that nothing is sent but what was asked
 * for; what sends follows nothing, and waits for its transactions to be mined
 * and no deeper. So each channel is looked at on the chain before it is touched.
 */
import type { Address, Hex } from 'viem'
import { jsonLog, messageOf } from '../../base/log.ts'
import type { Chain } from '../../chain/chain.ts'
import { authorized } from '../../channel/channel.ts'
import { listChannels } from '../../receiver/admin.ts'
import type { Found } from '../../receiver/find.ts'
import { createReceiver, type Receiver } from '../../receiver/receiver.ts'
import { lookAt } from '../../receiver/look.ts'
import type { Say } from '../print.ts'
import { inOptions } from './as-options.ts'
import { readKeyFile } from './key.ts'
import type { SellerOptions } from './options.ts'
import { findPlace, openChain } from './place.ts'
import { walletOf, withEarnings } from './seller.ts'
import { usualStateFile } from './state-file.ts'

/** A channel with something to take. */
export type Due = Found & {
  /** What the chain says was taken before. */
  readonly settled: bigint
  /** Base units that can be taken now. */
  readonly amount: bigint
}

export type Till = {
  readonly receiver: Receiver
  /** Where a block counts as soon as it is there. */
  readonly chain: Chain
  /** The one that is taken by all rails. */
  readonly token: Address | undefined
  /** Channels that have a voucher and have not ended, and what each would bring. */
  readonly due: readonly Due[]
}

/** Without a key, `look` asks for no password and the receiver cannot send. @throws {ConfigError} | {@link ChainUnavailableError} */
export async function withTill<T>(
  options: SellerOptions,
  { look, say }: { readonly look: boolean; readonly say: Say },
  work: (till: Till) => Promise<T>,
): Promise<T> {
  const account = readKeyFile(options)
  const privateKey = look ? undefined : await account.unlock()
  return inOptions(options.contract, async () => {
    const place = await findPlace(options)
    const { chain } = await openChain({ ...options, confirmations: 1 })
    const paid = options.receiver ?? account.address
    return withEarnings(options.stateFile ?? usualStateFile(place, paid), async (store) => {
      const { rails } = place
      const common = { store, rails, log: jsonLog(options.logLevel) }
      say(`reading chain ${place.chainId} up to now`)
      await catchUp(createReceiver({ ...common, chain: place.chain, address: paid }))
      const identity =
        privateKey === undefined ? {} : { wallet: walletOf(chain, privateKey, { ...options, intents: store }) }
      const receiver = createReceiver({ ...common, ...identity, address: paid, chain })
      return work({ receiver, chain, token: rails[0]?.token, due: await dueOf(receiver) })
    })
  })
}

/** Reads the chain up to now, into its store. @throws {ConfigError} | {@link ChainUnavailableError} */
export async function catchUp(receiver: Receiver): Promise<void> {
  try {
    await receiver.start()
  } finally {
    await receiver.stop()
  }
}

async function dueOf(receiver: Receiver): Promise<Due[]> {
  const due: Due[] = []
  for await (const found of listChannels(receiver)) {
    const { channel } = found
    if (channel.status === 'closed' || !channel.voucher) continue
    const now = await lookAt(receiver.chain, found)
    if (!now || now.status === 'closed') continue
    const settled = now.settled > channel.settled ? now.settled : channel.settled
    const amount = authorized(channel) - settled
    due.push({ ...found, settled, amount: amount > 0n ? amount : 0n })
  }
  return due
}

/** Why a channel cannot be settled, by asking the contract. */
export async function objectionTo({ receiver, chain }: Till, { rail, channel }: Found): Promise<string> {
  try {
    for (const { call } of rail.escrow.calls.settle([channel], receiver.wallet?.address ?? receiver.address)) {
      await chain.gas(call, { from: receiver.address, abi: rail.escrow.abi })
    }
    return 'The contract did not take it, and would now. Try again.'
  } catch (error) {
    return messageOf(error)
  }
}

export type Deed = {
  readonly channel: Hex
  readonly protocol: string
  readonly sender: string
  readonly amount: bigint
}

export function deedOf({ rail, channel, amount }: Due): Deed {
  return { channel: channel.id, protocol: rail.dialect.name, sender: channel.sender, amount }
}
