/** Whether the account that sends the receiver's transactions can pay for the next ones. */
import { ChainUnavailableError } from '../base/faults.ts'
import type { Context } from './context.ts'

/** What has to be affordable at any time: answers to senders that leave, at twice the fees of now. */
const TRANSACTIONS = 10n
/** Units of gas that the dearest of them takes. */
const GAS_EACH = 150_000n

/** Raises an alarm while the account has less than that. Without a key nothing is sent. */
export async function watchGasMoney({ alarms, chain, wallet }: Context): Promise<void> {
  if (!wallet) return
  try {
    const [balance, { base, tip }] = await Promise.all([chain.balance(wallet.address), chain.fees()])
    const needed = TRANSACTIONS * GAS_EACH * (2n * base + tip)
    if (balance >= needed) alarms.clear('gas-money-low', wallet.address)
    else {
      const message = `${wallet.address} has ${balance} wei, and ${TRANSACTIONS} transactions may cost ${needed} at twice the fees of now. Send it ${needed - balance} wei or more of the chain's own coin.`
      alarms.raise('gas-money-low', wallet.address, message, { balance: `${balance}`, needed: `${needed}` })
    }
  } catch (error) {
    // Nodes that are away have an alarm of their own.
    if (!(error instanceof ChainUnavailableError)) throw error
  }
}
