/** The values that were used last: at most `most` of them, so that memory does not grow with the disk. */
export function recent<key, value>(most: number) {
  const values = new Map<key, value>()

  function set(key: key, value: value): void {
    values.delete(key)
    values.set(key, value)
    if (values.size <= most) return
    for (const oldest of values.keys()) {
      values.delete(oldest)
      return
    }
  }

  return {
    set,
    delete: (key: key): void => void values.delete(key),
    get(key: key): value | undefined {
      const value = values.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
  }
}
