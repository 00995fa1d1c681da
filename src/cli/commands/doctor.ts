/** `farthing doctor`: what is well on this machine and with a seller's configuration, and what is not. */
import type { Command } from 'commander'
import { examine, isConfigured } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'
import { exitCodes, exitHelp } from '../exit.ts'
import { out, outJson, printable } from '../print.ts'
import { withSellerOptions, type SellerOptions } from '../serve/options.ts'

type Options = SellerOptions & { readonly json?: boolean }

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .summary("look at this machine and at a seller's configuration")
    .description(
      'Looks at this machine, and with options of `farthing serve` at key, chain, contracts and state file too. Says what is well, what is not, and the fix. Changes and sends nothing, and asks for no password.',
    )
  withSellerOptions(command)
    .option('--json', 'print one JSON object: ok, checks (each with name, verdict, detail and fix)')
    .addHelpText('after', help)
    .action(async (options: Options) => doctor(options))
}

const help = `
Verdicts: ok; slow costs time with each payment; warn will not do for long; BAD has to be repaired before anything is sold.
It may run beside the server. The exit code is 0 when nothing is BAD, 4 when only the chain cannot be reached, else 2.

Examples:
  farthing doctor
  farthing doctor --rpc https://node.example --escrow 0x… --token 0x… --key-file /etc/farthing/key.json
  FARTHING_RPC=https://node.example FARTHING_CONTRACT=0x… farthing doctor --json
${exitHelp}`

async function doctor(options: Options): Promise<void> {
  const findings: Finding[] = []
  for await (const finding of examine(options)) {
    findings.push(finding)
    if (!options.json) out(lineOf(finding))
  }
  const bad = findings.filter(({ verdict }) => verdict === 'BAD')
  if (options.json) outJson({ ok: bad.length === 0, checks: findings.map(plain) })
  else out(`\n${summaryOf(findings)}${isConfigured(options) ? '' : `\n${invitation}`}`)
  // It did what was asked, so nothing is thrown.
  if (bad.length > 0)
    process.exitCode = bad.every(({ isOffline }) => isOffline) ? exitCodes.unavailable : exitCodes.usage
}

const invitation =
  'Only this machine was looked at. The options of `farthing serve`, from --key-file to --state-file, have the rest looked at.'

/** Of the verdict, the name, and the gaps behind them. */
const INDENT = 30

function lineOf({ name, verdict, detail, fix }: Finding): string {
  const line = `${verdict.padEnd(5)} ${name.padEnd(INDENT - 8)}  ${sentence(detail)}`
  return printable(line) + (fix === undefined ? '' : `\n${' '.repeat(INDENT)}${printable(sentence(fix))}`)
}

function summaryOf(findings: readonly Finding[]): string {
  const counts = (['BAD', 'warn', 'slow'] as const).flatMap((verdict) => {
    const count = findings.filter((finding) => finding.verdict === verdict).length
    return count === 0 ? [] : `${count} ${verdict}`
  })
  return counts.length === 0
    ? `All ${findings.length} checks are ok.`
    : `${findings.length} checks: ${counts.join(', ')}.`
}

function plain({ name, verdict, detail, fix }: Finding) {
  return { name, verdict, detail, ...(fix !== undefined && { fix }) }
}

function sentence(text: string): string {
  return /[.!?`]$/.test(text) ? text : `${text}.`
}
