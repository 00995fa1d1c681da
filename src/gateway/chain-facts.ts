/** What only the chain knows and everybody may ask: asked seldom, however often somebody asks here. */
import { encodeFunctionData, erc20Abi, toFunctionSelector } from 'viem'
import { chainIsSilent } from '../receiver/context.ts'
import type { AnyRail } from '../receiver/rail.ts'
import type { Receiver } from '../receiver/receiver.ts'

/** Each is undefined when the chain cannot be seen. */
export type ChainFacts = {
  /** Base units of the token that the receiver holds. */
  liquid(): Promise<bigint | undefined>
  /** Blocks that a sender which leaves alone has to wait. */
  challengeBlocks(): Promise<bigint | undefined>
  /** Whether the token hands data along with a transfer. */
  takesData(): Promise<boolean | undefined>
}

/** How old a balance may be, and after how long a question that was not answered is asked again. */
const FRESH_MS = 5_000
/** How long somebody who asks waits for a node. */
const WAIT_MS = 3_000

const TRANSFER_WITH_DATA = toFunctionSelector('transfer(address,uint256,bytes)').slice(2)

export function createChainFacts(receiver: Receiver, { token, escrow, address, chainId }: AnyRail): ChainFacts {
  const { chain } = receiver
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [receiver.address] })
  const asked = <T>(ask: () => Promise<T>, freshMs: number) => remembered(receiver, ask, freshMs)
  return {
    liquid: asked(async () => BigInt(await chain.call({ to: token, data })), FRESH_MS),
    challengeBlocks: asked(async () => {
      const period = escrow.challengePeriod(await chain.call(escrow.queries.challengePeriod({ chainId, address })))
      return 'blocks' in period ? period.blocks : undefined
    }, Infinity),
    takesData: asked(async () => (await chain.code(token)).includes(TRANSFER_WITH_DATA), Infinity),
  }
}

/** One question at a time; whoever comes meanwhile hears the same answer. */
function remembered<T>(receiver: Receiver, ask: () => Promise<T>, freshMs: number): () => Promise<T | undefined> {
  let answer: Promise<T | undefined> | undefined
  let untilMs = 0
  return () => {
    if (answer && performance.now() < untilMs) return answer
    untilMs = Infinity
    answer = chainIsSilent(receiver) ? Promise.resolve(undefined) : inTime(ask())
    void answer.then((known) => {
      untilMs = performance.now() + (known === undefined ? FRESH_MS : freshMs)
    })
    return answer
  }
}

async function inTime<T>(asked: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), WAIT_MS)
    timer.unref()
  })
  try {
    return await Promise.race([asked.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
