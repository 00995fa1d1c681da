/** What caches have to know. */
import type { Context } from './context.ts'

/** An answer may differ for whoever pays, and for whoever reads. */
export function vary(receiver: Context): readonly [string, string] {
  const names = new Set(receiver.rails.flatMap((rail) => rail.dialect.requestHeaders))
  return ['Vary', [...names.add('Accept').add('Idempotency-Key')].join(', ')]
}
