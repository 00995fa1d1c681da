/** What the demo was asked for: `npm run demo -- --rail rdn --json`. */
import { parseArgs } from 'node:util'
import { isRailName, railNames, type RailName } from './rails.ts'

export type Options = { readonly json: boolean; readonly rail: RailName }

export const options = readOptions()

/** Ends the program, with one line that says why, if that is not to be had. */
function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: { json: { type: 'boolean', default: false }, rail: { type: 'string', default: 'payment' } },
    })
    const { json, rail } = values
    if (isRailName(rail)) return { json, rail }
    throw new Error(`There is no rail "${rail}".`)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    process.stderr.write(`${error.message}\nUse: npm run demo -- [--rail ${railNames.join('|')}] [--json]\n`)
    process.exit(2)
  }
}
