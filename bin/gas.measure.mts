/**
 * What transactions cost, in gas: real ones, on a real node, with their calldata and the 21,000 of each.
 *
 * One token of 18 decimals with ERC-20 and ERC-223. Nobody's balance is zero
 * before, as it is for nobody but the first customer. A deposit is 10 tokens, a
 * balance 4, and an approval is used up by what it was given for. The figures
 * are the same on every run: so are the keys, the addresses and the blocks.
 */
import { encodeDeployData } from 'viem'
import { demoTokenBytecode } from '../src/escrow/abi/demo-token-bytecode.ts'
import { demoTokenAbi } from '../src/escrow/abi/demo-token.ts'
import { measureChannelEscrow } from './gas.escrow.mts'
import { startNode, type Figures } from './gas.node.mts'
import { measureRaidenChannels } from './gas.raiden.mts'

/** By contract. */
export type Gas = Readonly<Record<string, Figures>>

/** Starts a chain, does everything once, and stops it. */
export async function measure(): Promise<Gas> {
  const node = await startNode()
  try {
    const args = ['Demo', 'DEMO', 18, 1n] as const
    const token = await node.deploy(encodeDeployData({ abi: demoTokenAbi, bytecode: demoTokenBytecode, args }))
    return {
      ChannelEscrow: await measureChannelEscrow(node, token),
      RaidenChannels: await measureRaidenChannels(node, token),
    }
  } finally {
    await node.stop()
  }
}
