/** `farthing operator`: names the hot key that may settle and close for a receiver. */
import type { Command } from 'commander'
import { getAddress, zeroAddress, type Address } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { addressIn } from '../../escrow/escrow.ts'
import { session } from '../../escrow/session.ts'
import { exitHelp } from '../exit.ts'
import { report } from '../print.ts'
import { inOptions } from '../serve/as-options.ts'
import { readKeyFile } from '../serve/key.ts'
import { option, withKeyOptions, type SellerOptions } from '../serve/options.ts'
import { openChain } from '../serve/place.ts'
import { walletOf } from '../serve/seller.ts'
import { address } from '../units.ts'

type Options = Pick<SellerOptions, 'keyFile' | 'passwordFile' | 'rpc' | 'gasPriceCap' | 'escrow'> & {
  readonly remove?: boolean
  readonly json?: boolean
}

export function addOperator(program: Command): void {
  const command = program
    .command('operator')
    .summary('as a receiver, name the key that sends for it')
    .description(
      'Names a hot key that may settle and close for this receiver, whose own key can then stay cold. All that an operator moves goes to the receiver and, from a close, to the sender.',
    )
    .argument('[operator]', 'address of that key; there is one at a time', address)
    .option('--remove', 'instead: nobody may any more')
    .addOption(option('--escrow <address>', 'ChannelEscrow contract, for the rail payment', address))
    .option('--json', 'print one JSON object: receiver, operator, transaction')
  withKeyOptions(command)
    .addHelpText('after', help)
    .action(async (operator: Address | undefined, options: Options) => nameOperator(operator, options))
}

const help = `
Without an address it says who the operator is. The key is the receiver's own; its operator then serves with --receiver.

Examples:
  farthing operator 0x… --rpc https://node.example --escrow 0x…
  farthing serve --receiver 0x… --rpc https://node.example --escrow 0x… --token 0x… --files ./public --price 2
  farthing operator --remove --rpc https://node.example --escrow 0x…
${exitHelp}`

async function nameOperator(operator: Address | undefined, options: Options): Promise<void> {
  const { escrow, rpc, remove = false, json } = options
  if (!escrow) throw new ConfigError('--escrow', 'is needed: the contract in which the operator is named')
  if (operator && remove) throw new ConfigError('--remove', 'names nobody; leave it or the address out')
  const account = readKeyFile(options)
  const next = remove ? zeroAddress : operator
  const privateKey = next && (await account.unlock())
  await inOptions(undefined, async () => {
    const { chain, chainId } = await openChain({ rpc, confirmations: 1 })
    const at = { chainId, address: escrow }
    if ((await chain.code(escrow)) === '0x')
      throw new ConfigError('--escrow', `there is no contract at ${escrow} on chain ${chainId}. Use its address there`)
    const question = session.queries.operator(account.address, at)
    const now = question && addressIn(await chain.call(question))
    const call = next && next !== now ? session.calls.setOperator(next, at) : undefined
    const mined = call && privateKey && (await walletOf(chain, privateKey, options).send(call, { abi: session.abi }))
    const named = next ?? now ?? zeroAddress
    const facts = { receiver: getAddress(account.address), operator: named === zeroAddress ? null : getAddress(named) }
    const who = facts.operator === null ? 'Nobody' : facts.operator
    const changed = mined ? `transaction ${mined.hash}` : 'Nothing was sent.'
    report(json, { ...facts, transaction: mined?.hash ?? null }, `${who} may send for ${facts.receiver}.`, changed)
  })
}
