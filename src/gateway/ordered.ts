/**
 * Runs `work` to its end, whoever listens, and gives what it yields to one listener in order.
 *
 * An order that was given is carried out, also when the connection breaks on
 * which it was given. `onEnd` is called once, with the error if there was one.
 */
export function ordered<T>(work: AsyncIterable<T>, onEnd: (error?: unknown) => void): AsyncIterable<T> {
  const waiting: T[] = []
  let wake = (): void => undefined
  let ended = false
  const run = async () => {
    try {
      for await (const item of work) {
        waiting.push(item)
        wake()
      }
      onEnd()
    } catch (error) {
      onEnd(error)
      throw error
    } finally {
      ended = true
      wake()
    }
  }
  const running = run()
  running.catch(() => undefined) // `onEnd` was told, and the listener may have gone
  async function* listen(): AsyncGenerator<T> {
    for (;;) {
      yield* waiting.splice(0)
      if (ended) break
      await new Promise<void>((resolve) => {
        wake = resolve
        if (ended || waiting.length > 0) resolve()
      })
    }
    yield* waiting.splice(0)
    await running
  }
  return listen()
}
