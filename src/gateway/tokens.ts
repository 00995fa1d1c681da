/** What an administrator shows instead of a password, for a while. Only hashes of it are kept. */
import { createHash, randomBytes } from 'node:crypto'

export type Tokens = {
  /** A new one, for whoever has just shown a password. */
  issue(name: string): string
  /** Whose it is, if it is one that lives; then it lives on from now. */
  holderOf(token: string): string | undefined
  drop(token: string): void
}

/** How long a token lives that is not used. */
const IDLE_MS = 600_000
/** Tokens at once. One more ends the one that was idle for longest. */
const MOST = 100

export function createTokens(now: () => number): Tokens {
  const held = new Map<string, { readonly name: string; readonly untilMs: number }>()

  function keep(hash: string, name: string): void {
    held.delete(hash) // so that the first one is always the one that was idle for longest
    held.set(hash, { name, untilMs: now() + IDLE_MS })
  }

  return {
    issue(name) {
      const token = randomBytes(32).toString('base64url')
      keep(hashOf(token), name)
      for (const [hash, { untilMs }] of held) if (untilMs <= now() || held.size > MOST) held.delete(hash)
      return token
    },
    holderOf(token) {
      // Looked up by its hash: how long that takes says nothing about any token.
      const hash = hashOf(token)
      const found = held.get(hash)
      if (!found || found.untilMs <= now()) return undefined
      keep(hash, found.name)
      return found.name
    },
    drop: (token) => {
      held.delete(hashOf(token))
    },
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
