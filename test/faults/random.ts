/** Choices that can be made again: the seed is printed by whoever asks, and taken from the environment. */

/** Small and repeatable; not for secrets. */
export function seeded() {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  let state = seed
  /** From 0 up to 1. */
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!
  return { seed, random, pick }
}
