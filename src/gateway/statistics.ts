/** How a receiver is doing, and what a program of 2018 needs to talk to its contracts. */
import { erc20Abi, getAddress, parseAbi, type Abi } from 'viem'
import { ok, type Answer } from './answer.ts'
import type { Gateway } from './context.ts'
import type { Value } from './json.ts'
import type { Visit } from './route.ts'

/** Sums are of the channels that have not ended. What is authorized is for administrators. */
export async function showStatistics(
  { books, facts, rail, receiver }: Gateway,
  { administrator }: Visit,
): Promise<Answer> {
  const [{ statistics, pending }, liquid, takesData] = await Promise.all([
    books.recent(),
    facts.liquid(),
    facts.takesData(),
  ])
  return ok({
    balance_sum: administrator ? statistics.authorized : null,
    deposit_sum: statistics.deposit,
    open_channels: administrator ? statistics.open - statistics.agreed : statistics.open,
    pending_channels: pending,
    unique_senders: statistics.senders,
    liquid_balance: liquid ?? null,
    token_address: getAddress(rail.token),
    contract_address: getAddress(rail.address),
    receiver_address: getAddress(receiver.address),
    manager_abi: writeAbi(rail.escrow.abi),
    token_abi: writeAbi(takesData ? [...erc20Abi, ...transferWithData] : erc20Abi),
    sync_block: rail.fromBlock,
  })
}

/** A page of 2018 opens a channel in one transaction where it finds this function, and in two where it does not. */
const transferWithData = parseAbi(['function transfer(address to, uint256 value, bytes data) returns (bool)'])

/** Libraries of 2018 look for `constant` and `payable`, and know no errors. */
function writeAbi(abi: Abi): Value[] {
  return abi.flatMap((item): Value[] => {
    if (item.type === 'event') {
      const inputs = item.inputs.map(({ name = '', type, indexed = false }) => ({ name, type, indexed }))
      return [{ type: item.type, name: item.name, anonymous: false, inputs }]
    }
    if (item.type !== 'function') return []
    const { type, name, stateMutability } = item
    const constant = stateMutability === 'view' || stateMutability === 'pure'
    const payable = stateMutability === 'payable'
    return [
      { type, name, inputs: plain(item.inputs), outputs: plain(item.outputs), stateMutability, constant, payable },
    ]
  })
}

function plain(parameters: readonly { readonly name?: string | undefined; readonly type: string }[]): Value[] {
  return parameters.map(({ name = '', type }) => ({ name, type }))
}
