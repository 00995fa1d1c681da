/**
 * What `make` gives for a key, computed once while it is remembered: for pure functions that cost more than a look-up.
 * At most `most` values are kept; then all are forgotten and made again.
 */
export function remembered<key, value>(most: number, make: (key: key) => value): (key: key) => value {
  const known = new Map<key, value>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const made = make(key)
    if (known.size >= most) known.clear()
    known.set(key, made)
    return made
  }
}
