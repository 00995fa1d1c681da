/** The page for browsers that do not pay yet: where cookies pay, one with which a wallet does. */
import { paywall, type Paywall } from '../../adapter/paywall.ts'
import type { AnyRail } from '../../receiver/rail.ts'

/** undefined where a page could not pay anyway: then it says in words what is accepted. @throws {ConfigError} */
export function wallFor(rails: readonly AnyRail[], wanted: boolean): Paywall | undefined {
  return wanted && rails.some(({ dialect }) => dialect.usesCookies) ? paywall() : undefined
}
