/**
 * Room for answers that are kept. Whoever sells cheaply could else be made to fill its disk.
 *
 * What was kept before a restart is not counted again, so the store may hold twice as much for a while.
 */
type Measures = { readonly answerMs: number; readonly answersBytes: number }

export type Shelf = {
  /** Whether there is room for so many characters; then they have it until they are expired. */
  take(size: number): boolean
}

/** In how many steps room comes back. */
const STEPS = 64

export function createShelf({ answerMs, answersBytes }: Measures): Shelf {
  const batches: { readonly endMs: number; size: number }[] = []
  let held = 0
  return {
    take(size) {
      const now = Date.now()
      for (let [oldest] = batches; oldest && oldest.endMs <= now; [oldest] = batches) {
        held -= oldest.size
        batches.shift()
      }
      if (held + size > answersBytes) return false
      held += size
      const last = batches.at(-1)
      if (last && last.endMs >= now + answerMs) last.size += size
      else batches.push({ endMs: now + answerMs + answerMs / STEPS, size })
      return true
    },
  }
}
