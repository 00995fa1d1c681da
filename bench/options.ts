/** What was asked for on the command line. */

export const parts = ['paid', 'latency', 'inprocess', 'memory', 'door'] as const
export type Part = (typeof parts)[number]

export type Options = {
  readonly json: boolean
  readonly quick: boolean
  readonly only: ReadonlySet<Part>
  /** The tables and the picture of docs/explanation/performance.md are to be replaced. */
  readonly write: boolean
  /** Only a profile of this server is wanted, as flame.svg and flame.cpuprofile in the working directory. */
  readonly flame: string | undefined
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

export const usage = `npm run bench -- [--json] [--quick] [--write] [--only ${parts.join(',')}] [--match text] [--flame server]

  --json    end with one JSON object, as the last line
  --quick   fewer and shorter rounds, and only the servers that the ratios need; under two minutes
  --write   puts the figures and a picture of the hot path into docs/explanation/performance.md
  --only    these parts, comma-separated
  --match   only servers whose name contains the text
  --flame   only a profile of one server, as flame.svg and flame.cpuprofile`

/** @throws {RangeError} for what is not an option */
export function readOptions(args: readonly string[]): Options {
  const rest = [...args]
  let only: readonly Part[] = parts
  let match = ''
  let flame: string | undefined
  const flags = new Set<string>()
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--only') only = (rest.shift() ?? '').split(',').map(partOf)
    else if (arg === '--match') match = rest.shift() ?? ''
    else if (arg === '--flame') flame = rest.shift() ?? ''
    else if (arg === '--json' || arg === '--write' || arg === '--quick') flags.add(arg)
    else throw new RangeError(`${arg} is not an option.\n\n${usage}`)
  }
  const quick = flags.has('--quick')
  const amounts = quick
    ? { rounds: 3, seconds: 0.7, channels: 50_000, warmUp: { ours: 12_800, theirs: 128 } }
    : { rounds: 7, seconds: 1.5, channels: 1_000_000, warmUp: { ours: 19_200, theirs: 512 } }
  const json = flags.has('--json')
  return { json, quick, write: flags.has('--write'), flame, only: new Set(only), match, ...amounts }
}

function partOf(name: string): Part {
  const part = parts.find((one) => one === name)
  if (!part) throw new RangeError(`there is no part "${name}". Parts: ${parts.join(', ')}`)
  return part
}
