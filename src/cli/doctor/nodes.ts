/** The nodes of the chain, each by itself: a server goes from one to the next and does not say which one is bad. */
import { createChain } from '../../chain/rpc.ts'
import type { Block } from '../../chain/chain.ts'
import { inOptions } from '../serve/as-options.ts'
import { lookAtChain, type Looked, type Seen } from './finding.ts'

/** A node that answers, and its chain. */
export type LiveNode = { readonly url: string; readonly chainId: number }

/** One finding for each. The values are those that a server could use. */
export async function lookAtNodes(urls: readonly string[]): Promise<Looked<LiveNode>[]> {
  const looked = await Promise.all(urls.map((url) => lookAtNode(url)))
  const first = looked.find(({ value }) => value !== undefined)?.value
  return looked.map((one) => (first ? beside(first, one) : one))
}

/** What is thought of a node when there is another that answers. */
function beside(first: LiveNode, looked: Looked<LiveNode>): Looked<LiveNode> {
  const { finding, value } = looked
  if (finding.isOffline) return { finding: { ...finding, verdict: 'warn' } }
  if (!value || value.chainId === first.chainId) return looked
  const detail = `it is on chain ${value.chainId}, another one on ${first.chainId}`
  return { finding: { name: finding.name, verdict: 'BAD', detail, fix: 'Name nodes of one chain only' } }
}

const TIMEOUT_MS = 4_000

function lookAtNode(url: string): Promise<Looked<LiveNode>> {
  return lookAtChain(`chain ${hostOf(url)}`, () =>
    inOptions(undefined, async () => {
      const chain = createChain({ rpc: url, timeoutMs: TIMEOUT_MS })
      const chainId = await chain.id()
      const startMs = performance.now()
      const head = await chain.head()
      return { ...opinionOf(chainId, head, performance.now() - startMs), value: { url, chainId } }
    }),
  )
}

/** Chains on which a block comes when there is something to put in. */
const withoutRhythm = new Set([1337, 31337])

const SLOW_MS = 1_000
const LATE_S = 120
const FAR_BEHIND_S = 3_600
const AHEAD_S = 30

function opinionOf(chainId: number, { number, time }: Block, latencyMs: number): Omit<Seen<LiveNode>, 'value'> {
  const ageS = Math.round(Date.now() / 1_000) - Number(time)
  const when = ageS < 0 ? `${-ageS} s in the future` : `${ageS} s old`
  const detail = `chain id ${chainId}, block ${number}, ${when}, answers in ${latencyMs.toFixed(0)} ms`
  if (withoutRhythm.has(chainId)) return { verdict: 'ok', detail }
  if (ageS < -AHEAD_S) return { verdict: 'warn', detail, fix: "This machine's clock is behind. Set it by NTP" }
  if (ageS > LATE_S) {
    const fix = "The node is behind, or this machine's clock is wrong. Look at both, or name another node"
    return { verdict: ageS > FAR_BEHIND_S ? 'BAD' : 'warn', detail, fix }
  }
  if (latencyMs > SLOW_MS) return { verdict: 'slow', detail, fix: 'Use a node that is nearer' }
  return { verdict: 'ok', detail }
}

/** Without the rest, which may hold a secret. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '(no URL)'
}
