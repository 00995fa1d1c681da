/** What was asked for on the command line. */

export const parts = ['paid', 'latency', 'inprocess', 'memory', 'door'] as const
export type Part = (typeof parts)[number]

export type Options = {
  readonly json: boolean
  readonly quick: boolean
  readonly only: ReadonlySet<Part>
  /** Only contenders whose name contains this. */
  readonly match: string
  readonly rounds: number
  /** How long one measurement takes. */
  readonly seconds: number
  /** Requests to each server before anything is measured: the compiler of V8 has seen all there is to see. */
  readonly warmUp: { readonly ours: number; readonly theirs: number }
  /** In the store whose memory and start are measured. */
  readonly channels: number
}

export const usage = `npm run bench -- [--json] [--quick] [--only ${parts.join(',')}] [--match text]

  --json    end with one JSON object, as the last line
  --quick   fewer and shorter rounds, under two minutes
  --only    these parts, comma-separated
  --match   only servers whose name contains the text`

/** @throws {RangeError} for what is not an option */
export function readOptions(args: readonly string[]): Options {
  const rest = [...args]
  let only: readonly Part[] = parts
  let match = ''
  const flags = new Set<string>()
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--only') only = (rest.shift() ?? '').split(',').map(partOf)
    else if (arg === '--match') match = rest.shift() ?? ''
    else if (arg === '--json' || arg === '--quick') flags.add(arg)
    else throw new RangeError(`${arg} is not an option.\n\n${usage}`)
  }
  const quick = flags.has('--quick')
  const amounts = quick
    ? { rounds: 3, seconds: 0.3, channels: 50_000, warmUp: { ours: 1_024, theirs: 64 } }
    : { rounds: 7, seconds: 1.5, channels: 1_000_000, warmUp: { ours: 6_400, theirs: 128 } }
  return { json: flags.has('--json'), quick, only: new Set(only), match, ...amounts }
}

function partOf(name: string): Part {
  const part = parts.find((one) => one === name)
  if (!part) throw new RangeError(`there is no part "${name}". Parts: ${parts.join(', ')}`)
  return part
}
