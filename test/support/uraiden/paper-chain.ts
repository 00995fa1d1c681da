/** A book of channels for conversations that need no chain: what is opened here, the stranger's server knows at once. */
import type { Address, Hex } from 'viem'
import type { Opened, SenderChain } from './sender-chain.ts'
import type { UraidenServer } from './server.ts'

export type PaperChain = SenderChain & {
  /** What was done, in words, in order. */
  readonly acts: readonly string[]
  /** The signatures of the last closing together. */
  closing(): { readonly balance: bigint; readonly balanceSignature: Hex; readonly closingSignature: Hex } | undefined
}

/** Each channel is opened in a block of its own, the first one in block 1. */
export function paperChain(server: UraidenServer, sender: Address): PaperChain {
  const acts: string[] = []
  const opened = new Map<number, Opened>()
  let closing: ReturnType<PaperChain['closing']>
  return {
    acts,
    closing: () => closing,
    channels: () => Promise.resolve([...opened.values()]),
    open(receiver, deposit) {
      const channel = { receiver, block: opened.size + 1, deposit }
      opened.set(channel.block, channel)
      server.know({ sender, block: channel.block, deposit })
      acts.push(`open ${deposit}`)
      return Promise.resolve(channel)
    },
    topUp({ receiver, block }, added) {
      const deposit = opened.get(block)!.deposit + added
      opened.set(block, { receiver, block, deposit })
      const { balance, signature } = server.channel(sender, block)!
      server.know({ sender, block, deposit, balance, ...(signature && { signature }) })
      acts.push(`top up ${added}`)
      return Promise.resolve(true)
    },
    closeTogether(_channel, balance, balanceSignature, closingSignature) {
      closing = { balance, balanceSignature, closingSignature }
      acts.push(`close at ${balance}`)
      return Promise.resolve()
    },
    closeAlone(_channel, balance) {
      acts.push(`ask to close at ${balance}`)
      return Promise.resolve()
    },
    settle() {
      acts.push('settle')
      return Promise.resolve()
    },
  }
}
