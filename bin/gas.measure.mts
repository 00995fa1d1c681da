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
import { startNode, TOKEN_NAME, type Figures } from './gas.node.mts'
import type { Parts } from './gas.parts.mts'
import { batchSettlement, original } from './gas.peers.mts'
import { measureRaidenChannels } from './gas.raiden.mts'

/** By contract. */
export type Gas = Readonly<Record<string, Figures>>

/** `parts`: what the deposits of RaidenChannels consist of. */
export type Measured = { readonly gas: Gas; readonly parts: Readonly<Record<string, Parts>> }

/** Starts a chain, does everything once, and stops it. */
export async function measure(): Promise<Measured> {
  const node = await startNode()
  try {
    const args = [TOKEN_NAME, 'DEMO', 18, 1n] as const
    const token = await node.deploy(encodeDeployData({ abi: demoTokenAbi, bytecode: demoTokenBytecode, args }))
    const ChannelEscrow = await measureChannelEscrow(node, token)
    const { figures: RaidenChannels, parts } = await measureRaidenChannels(node, token)
    const peers = { 'µRaiden 0.2': original, 'x402 batch settlement': batchSettlement }
    return { gas: { ChannelEscrow, RaidenChannels, ...peers }, parts }
  } finally {
    await node.stop()
  }
}
