/** Which kind of escrow each contract is that may hold deposits. Asked from the chain once, then known. */
import type { Address } from 'viem'
import { ChainUnavailableError, ConfigError } from '../base/faults.ts'
import { ownRecord } from '../base/read.ts'
import type { Chain } from '../chain/chain.ts'
import { addressIn, type Deployment } from '../escrow/escrow.ts'
import type { Store } from '../store/store.ts'
import type { AnyProtocol, Place } from './context.ts'

type Asking = {
  readonly chain: Chain
  readonly store: Store
  readonly protocols: readonly AnyProtocol[]
  readonly chainId: number
  readonly sender: Address
}

/** What is filed of a contract: the name of its kind, and the only token that it holds, if it holds one only. */
type Known = { readonly kind: string; readonly token?: Address }

/** @throws {ConfigError} for a contract that is no escrow of any protocol here */
export async function findPlace(asking: Asking, address: Address): Promise<Place> {
  const { store, protocols, chainId } = asking
  const name = `escrow:${chainId}:${address}`
  const record = await store.readRecord(name)
  const known = record === undefined ? undefined : ownRecord<Known>(record)
  const protocol = protocols.find(({ escrow }) => escrow.name === known?.kind)
  if (known && protocol) {
    return placeAt(protocol, { chainId, address, ...(known.token && { token: known.token }) })
  }
  const place = await ask(asking, { chainId, address })
  const { token } = place.at
  await store.writeRecord(name, () =>
    JSON.stringify({ kind: place.protocol.escrow.name, token } satisfies Record<keyof Known, unknown>),
  )
  return place
}

async function ask({ chain, protocols, sender }: Asking, at: Deployment): Promise<Place> {
  for (const protocol of protocols) {
    const { escrow } = protocol
    try {
      const tests = escrow.selfTest(sender, at)
      const answers = await Promise.all(tests.map(({ call }) => chain.call(call)))
      if (!tests.every(({ passes }, index) => passes(answers[index] ?? '0x'))) continue
      const question = escrow.queries.token(at)
      return placeAt(protocol, question ? { ...at, token: addressIn(await chain.call(question)) } : at)
    } catch (error) {
      // What is no answer of this kind of contract may be one of the next kind.
      if (error instanceof ChainUnavailableError) throw error
    }
  }
  const kinds = protocols.map(({ escrow }) => escrow.name).join(' or ')
  throw new ConfigError('escrows', `there is no escrow of the kind ${kinds} at ${at.address} on chain ${at.chainId}`)
}

function placeAt(protocol: AnyProtocol, at: Deployment): Place {
  return { protocol, at, digest: protocol.escrow.digester(at) }
}
