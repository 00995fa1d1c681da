/** The other end of `worker.ts`: takes the settings, says when it is ready, answers questions in their order. */

/** Nothing but agreement holds a question to its type: both ends are compiled together. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the types of the parent
export async function serveParent<settings, question>(
  begin: (settings: settings) => Promise<{ readonly facts: object; readonly answer: (question: question) => unknown }>,
): Promise<void> {
  process.once('disconnect', () => process.exit())
  const settings = await new Promise<settings>((resolve) =>
    process.once('message', (first) => resolve(first as settings)),
  )
  const { facts, answer } = await begin(settings)
  process.on('message', ({ id, question }: { id: number; question: question }) => {
    void reply(id, () => answer(question))
  })
  process.send?.({ ready: facts })
}

async function reply(id: number, answer: () => unknown): Promise<void> {
  try {
    process.send?.({ id, answer: await answer() })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
