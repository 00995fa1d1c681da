/** What caches have to know. */
import type { AnyRail } from './rail.ts'

/** An answer may differ for whoever pays, and for whoever reads. */
export function varyBy(rails: readonly AnyRail[]): readonly [string, string] {
  const names = new Set(rails.flatMap((rail) => rail.dialect.requestHeaders))
  return ['Vary', [...names.add('Accept').add('Idempotency-Key')].join(', ')]
}
