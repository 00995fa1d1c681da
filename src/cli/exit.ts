/** How a command ends: its exit code, and one line that says what is wrong and what to do. */
import { CommanderError } from 'commander'
import { PaymentError } from '../base/errors.ts'
import {
  ChainUnavailableError,
  ConfigError,
  NoAnswerError,
  NoGasError,
  StoreInUseError,
  TransactionUnknownError,
} from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { NoSuchChannelError, OverBudgetError, SpendingError } from '../base/spending.ts'
import { outJson, printable, warn } from './print.ts'
import { IncompleteError } from './serve/balance-sheet.ts'
import { MistakesError } from './serve/json-file.ts'

export const exitCodes = { ok: 0, unexpected: 1, usage: 2, unpaid: 3, unavailable: 4, incomplete: 5, http: 22 } as const

/** What every help text says about the end of a command. */
export const exitHelp = `
Exit codes:
  0   done
  1   unexpected
  2   wrong usage, configuration or key
  3   not paid: over budget, no acceptable offer, or refused
  4   chain or network unavailable
  5   some channels could not be closed or settled, or do not agree with the chain`

/** The server answered, and `--fail` was said. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError'
  constructor(status: number) {
    super(`The server answered ${status}.`)
  }
}

export type Ending = {
  readonly exitCode: number
  readonly code: string
  readonly message: string
  /** Where one line cannot say all of it. */
  readonly mistakes?: readonly string[]
}

/** Says how it ended, on standard error and with \`json\` on standard output too. Returns the exit code. */
export function sayEnding(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const { exitCode, code, message, mistakes } = endingOf(error)
  // Of what is incomplete the object is out already.
  if (json && exitCode !== exitCodes.incomplete) outJson({ error: { code, message, ...(mistakes && { mistakes }) } })
  warn(`farthing: ${printable(message)}`)
  for (const mistake of mistakes ?? []) warn(`  ${printable(mistake)}`)
  if (process.env['FARTHING_DEBUG'] && error instanceof Error) warn(error.stack ?? '')
  return exitCode
}

/** The first that fits. */
function endingOf(error: unknown): Ending {
  const message = sentence(messageOf(error))
  if (error instanceof OverBudgetError)
    return { exitCode: exitCodes.unpaid, code: error.code, message: overBudget(error) }
  if (error instanceof NoSuchChannelError) return { exitCode: exitCodes.usage, code: error.code, message }
  if (error instanceof SpendingError)
    return { exitCode: exitCodes.unpaid, code: error.code, message: asOptions(message) }
  if (error instanceof NoGasError) return { exitCode: exitCodes.unpaid, code: 'no-gas', message }
  if (error instanceof ConfigError || error instanceof StoreInUseError)
    return { exitCode: exitCodes.usage, code: 'usage', message }
  if (error instanceof MistakesError)
    return { exitCode: exitCodes.usage, code: 'usage', message, mistakes: error.mistakes }
  if (error instanceof IncompleteError) return { exitCode: exitCodes.incomplete, code: 'incomplete', message }
  if (error instanceof HttpStatusError) return { exitCode: exitCodes.http, code: 'http', message }
  if (isUnavailable(error)) return { exitCode: exitCodes.unavailable, code: 'unavailable', message }
  if (error instanceof PaymentError) return { exitCode: exitCodes.unpaid, code: error.code, message }
  return { exitCode: exitCodes.unexpected, code: 'unexpected', message: `${message} FARTHING_DEBUG=1 shows where.` }
}

function isUnavailable(error: unknown): boolean {
  return [ChainUnavailableError, TransactionUnknownError, NoAnswerError].some((kind) => error instanceof kind)
}

/** The library's names of limits, as the options that set them. */
const options: Readonly<Record<string, string>> = { perRequest: '--max', deposit: '--deposit' }

function overBudget({ details }: OverBudgetError): string {
  const { limit = '', most = '', needed = '' } = details
  const option = options[limit] ?? limit
  return `This costs ${needed} base units and ${option} is ${most}. Nothing was signed. Raise ${option} if it is worth it.`
}

function asOptions(message: string): string {
  return message.replaceAll('`escrows`', '--escrow').replaceAll('`tokens`', '--token')
}

function sentence(text: string): string {
  return /[.!?`]$/.test(text) ? text : `${text}.`
}
