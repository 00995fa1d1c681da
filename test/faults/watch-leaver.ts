/** A sender that pays a server in another process, on either rail, and then asks to close as if it owed nothing. */
import { getAddress, type Address } from 'viem'
import { lower } from '../../src/base/read.ts'
import { channelKey, type ChannelKey } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { channelId } from '../../src/escrow/raiden-state.ts'
import { escrowCall, newAccount, openChannel, until } from '../support/market.ts'
import { openSenderChain } from '../support/uraiden/sender-chain.ts'
import { signBalance } from '../support/uraiden/signing.ts'
import { challengeOf } from '../support/wire.ts'

export type Leaver = {
  readonly address: Address
  readonly channel: ChannelKey
  /** Pays `amount`, cumulative. Waits until the server knows the channel. */
  pay(url: string, amount: bigint): Promise<void>
  requestClose(): Promise<unknown>
}

export type Rail = 'payment' | 'rdn'

export async function newLeaver(world: LocalChain, rail: Rail, receiver: Address): Promise<Leaver> {
  if (rail === 'payment') {
    const { account, wallet, id, pay } = await openChannel(world, receiver, 1_000n)
    return {
      address: account.address,
      channel: channelKey(world.chainId, world.escrow, id),
      pay: (url, amount) => paid(async () => pay(url, amount, { challenge: challengeOf(await fetch(url)) })),
      requestClose: () => wallet.send(escrowCall(world, 'requestClose', id)),
    }
  }
  const { privateKey: key, address } = await newAccount(world)
  const [contract, token, to] = [getAddress(world.raiden), getAddress(world.token), getAddress(receiver)]
  const chain = openSenderChain({ url: world.anvil.url, contract, token, key })
  const channel = (await chain.open(to, 1_000n))!
  const { block } = channel
  const id = channelId({ sender: lower(address), receiver: lower(receiver), terms: { openBlock: block } })
  return {
    address,
    channel: channelKey(world.chainId, world.raiden, id),
    pay: (url, balance) =>
      paid(async () =>
        fetch(url, {
          headers: {
            'RDN-Contract-Address': contract,
            'RDN-Receiver-Address': to,
            'RDN-Sender-Address': address,
            'RDN-Open-Block': `${block}`,
            'RDN-Balance': `${balance}`,
            'RDN-Balance-Signature': await signBalance(key, { receiver: to, block, balance, contract }),
          },
        }),
      ),
    requestClose: () => chain.closeAlone(channel, 0n),
  }
}

async function paid(ask: () => Promise<Response>): Promise<void> {
  await until(async () => {
    const response = await ask()
    await response.text()
    return response.status === 200
  })
}
