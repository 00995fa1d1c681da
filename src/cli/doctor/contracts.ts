/** What a receiver compares with the chain before it sells, and what it can pay for. */
import { formatEther, formatGwei, getAddress, parseGwei, type Address } from 'viem'
import type { Chain } from '../../chain/chain.ts'
import { checkAgainstChain } from '../../receiver/check.ts'
import type { AnyRail } from '../../receiver/rail.ts'
import { createReceiver } from '../../receiver/receiver.ts'
import { memory } from '../../store/memory.ts'
import { inOptions } from '../serve/as-options.ts'
import type { SellerOptions } from '../serve/options.ts'
import { findPlace, type Place } from '../serve/place.ts'
import { lookAtChain, type Finding, type Looked } from './finding.ts'

/** For a question about contracts to which every address gives the same answer. */
const ANYONE: Address = `0x${'1'.repeat(40)}`

/** Whether the options name contracts that go together. */
export async function lookForPlace(options: SellerOptions): Promise<Looked<Place>> {
  return lookAtChain('contracts', () =>
    inOptions(options.contract, async () => ({
      verdict: 'ok',
      detail: 'named',
      value: await findPlace(options),
    })),
  )
}

/** One finding for each rail: chain id, contract, token and challenge period. */
export function lookAtRails(place: Place, address = ANYONE): Promise<Finding[]> {
  return Promise.all(place.rails.map((rail) => lookAtRail(place.chain, rail, address)))
}

async function lookAtRail(chain: Chain, rail: AnyRail, address: Address): Promise<Finding> {
  const receiver = createReceiver({ address, rails: [rail], chain, store: memory(), log: () => undefined })
  const { finding } = await lookAtChain(`contract ${rail.dialect.name}`, (signal) =>
    inOptions(rail.dialect.name === 'rdn' ? rail.address : undefined, async () => {
      await checkAgainstChain(receiver, signal)
      return {
        verdict: 'ok',
        detail: `${getAddress(rail.address)}, paid in the token ${getAddress(rail.token)}`,
        value: undefined,
      }
    }),
  )
  return finding
}

/** Units of gas; a little more than either escrow takes to settle one channel alone. */
const SETTLEMENT_GAS = 80_000n
const FEW_SETTLEMENTS = 10n
const DEFAULT_CAP = parseGwei('500')

/** The coins of the receiver. Without some it sells, and cannot take what it has earned. */
export async function lookAtCoins(
  open: () => Promise<Pick<Place, 'chain'>>,
  address: Address,
  cap = DEFAULT_CAP,
): Promise<Finding> {
  const { finding } = await lookAtChain('coins for gas', async () => {
    const { chain } = await open()
    const [balance, { base, tip }] = await Promise.all([chain.balance(address), chain.fees()])
    const price = base + tip
    const settlements = price === 0n ? undefined : balance / (SETTLEMENT_GAS * price)
    const detail = `${coins(balance)}, ${lasting(settlements)} (${formatGwei(price)} gwei)`
    const value = undefined
    if (base > cap) {
      const fix = 'That is more than --gas-price-cap, so nothing is settled. Wait, or raise it'
      return { verdict: 'warn', detail, fix, value }
    }
    if (settlements === undefined || settlements >= FEW_SETTLEMENTS) return { verdict: 'ok', detail, value }
    const fix = `Send ${getAddress(address)} some of the chain's own coin. Without it nothing can be settled or closed`
    return { verdict: settlements === 0n ? 'BAD' : 'warn', detail, fix, value }
  })
  return finding
}

function lasting(settlements: bigint | undefined): string {
  if (settlements === undefined) return 'and gas is free'
  if (settlements === 0n) return "not enough to settle once at today's fee"
  return `about ${settlements.toLocaleString('en')} settlements at today's fee`
}

/** Six digits are enough to see whether there are any. */
function coins(wei: bigint): string {
  return `${formatEther(wei).replace(/(\.\d{6})\d+/, '$1')} ETH`
}
