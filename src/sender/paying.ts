/** A `fetch` that pays, in one line. */
import { createClient, type Client, type ClientConfig } from './client.ts'

/**
 * ```ts
 * const fetch = await paying({ account, chain, store, budget, escrows, tokens })
 * const weather = await fetch('https://api.example.com/weather')
 * ```
 *
 * @throws {ConfigError} | {@link ChainUnavailableError}
 */
export async function paying(client: Client | ClientConfig): Promise<typeof fetch> {
  const ready = 'session' in client ? client : await createClient(client)
  return ready.session().fetch
}
