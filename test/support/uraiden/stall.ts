/** Our receiver as the strangers find it: a shop that sells "foo" on the rail of µRaiden. */
import type { IncomingMessage } from 'node:http'
import { getAddress } from 'viem'
import type { paid } from '../../../src/adapter/node.ts'
import type { LocalChain } from '../../../src/cli/local-chain.ts'
import { channelKey, type Channel } from '../../../src/channel/channel.ts'
import { channelId } from '../../../src/escrow/raiden-state.ts'
import { lower } from '../../../src/base/read.ts'
import type { Price } from '../../../src/receiver/price.ts'
import type { Receiver, ReceiverConfig } from '../../../src/receiver/receiver.ts'
import { newAccount, newReceiver, openShop, raidenRail, until, type Shop } from '../market.ts'
import { PRICE } from './payment-cases.ts'
import type { Buyer, ServerUnderTest } from './payment-suite.ts'
import { openSenderChain } from './sender-chain.ts'

type Handler = (...args: Parameters<Parameters<typeof paid>[2]>) => unknown

export type Stall = ServerUnderTest & {
  readonly us: Receiver
  readonly shop: Shop
  /** The stored channel, as our receiver sees it. */
  known(buyer: Buyer): Promise<Channel | undefined>
}

export type StallOptions = {
  readonly price?: Price<IncomingMessage>
  readonly handler?: Handler
  readonly config?: Partial<ReceiverConfig>
}

export async function openStall(
  world: LocalChain,
  { price = PRICE, handler, config }: StallOptions = {},
): Promise<Stall> {
  const us = await newReceiver(world, { rails: [raidenRail(world)], ...config })
  const shop = await openShop(us, price, handler)
  const receiver = getAddress(us.address)
  const contract = getAddress(world.raiden)
  const token = getAddress(world.token)
  const known = ({ sender, block }: Buyer) => {
    const id = channelId({ sender: lower(sender), receiver: us.address, terms: { openBlock: block } })
    return us.store.get(channelKey(world.chainId, world.raiden, id))
  }
  return {
    url: shop.url,
    us,
    shop,
    receiver,
    contract,
    token,
    known,
    open: async (deposit) => {
      const { privateKey: key, address: sender } = await newAccount(world)
      const chain = openSenderChain({ url: world.anvil.url, contract, token, key })
      const opened = await chain.open(receiver, deposit)
      if (!opened) throw new Error('the account has no tokens')
      const buyer = { key, sender, block: opened.block }
      await until(async () => (await known(buyer)) !== undefined)
      return buyer
    },
    close: async () => {
      await shop.close()
      await us.stop()
    },
  }
}
