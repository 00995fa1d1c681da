/** `farthing get`: curl for what costs something. */
import { Option, type Command } from 'commander'
import type { Offer } from '../../channel/messages.ts'
import type { Plan } from '../../sender/fund.ts'
import { deliver, type DeliverOptions } from '../deliver.ts'
import { exitHelp, HttpStatusError } from '../exit.ts'
import { chooseOffer, offersOf, protocolsOf, requireOffers } from '../plan.ts'
import { printable, progress, report, short, table, warn, type Say } from '../print.ts'
import { buy, freeOf, planOf, type Spend } from '../purchase.ts'
import { reachingFetch, readRequest, type OutgoingRequest, type RequestOptions } from '../request.ts'
import { readSettings, withChainOptions, type ChainOptions, type Settings } from '../settings.ts'
import { amountText, holdingOf, readToken } from '../tokens.ts'
import { collect, someUnits } from '../units.ts'

type GetOptions = ChainOptions &
  RequestOptions &
  DeliverOptions & {
    readonly verbose?: boolean
    readonly fail?: boolean
    readonly max?: bigint
    readonly deposit?: bigint
    readonly protocol?: string
    readonly dryRun?: boolean
  }

/** Ten cents of a dollar token with 6 decimals; nothing to speak of with 18. */
const MAX = 100_000n
const DEPOSIT_FACTOR = 100n

export function addGet(program: Command): void {
  const command = program
    .command('get')
    .summary('ask for a URL, and pay for it if it costs something')
    .description('Asks for a URL, pays for it if it costs something, and prints what comes.')
    .argument('<url>', 'address of the resource; http:// may be left out')
    .option('-X, --request <method>', 'method (default: GET, with -d POST)')
    .option('-H, --header <line>', "header, as 'Name: value'; may be repeated", collect)
    .option('-d, --data <data>', 'body; @FILE for a file and @- for standard input, sent as they are', collect)
    .option('-o, --output <file>', 'write the body to a file')
    .option('-i, --include', 'print status and headers too')
    .option('-f, --fail', 'exit with 22 if the status is 400 or more')
    .option('-v, --verbose', 'show on standard error what happens')
    .option('--max <units>', `most base units to pay for this request (default: ${MAX})`, someUnits)
    .option('--deposit <units>', 'most base units to put into the channel, and what is put in', someUnits)
    .addOption(
      new Option('--protocol <name>', 'pay by this one alone (default: the first that can be paid)').choices([
        'payment',
        'rdn',
      ]),
    )
    .option('--dry-run', 'ask for the price and say what would be done; sign and send nothing')
    .option('--json', 'print one JSON object: status, price, charged, channel, transactions, body or file')
  withChainOptions(command)
    .addHelpText('after', help)
    .action(async (address: string, options: GetOptions) => get(address, options))
}

const help = `
The first purchase from a receiver opens a payment channel: one transaction, which puts in a deposit of 100 times the
price (at most 100 times --max). Later ones need no transaction; the deposit is topped up when it is used up.
At the address of a \`farthing dev\` on this machine no other option is needed.

Examples:
  farthing get http://127.0.0.1:4020/echofix/foo
  farthing get --dry-run http://127.0.0.1:4020/image
  farthing get -o coin.png http://127.0.0.1:4020/image
  farthing get --json --max 20 https://api.example.com/weather/berlin
  farthing get -d @question.json -H 'Content-Type: application/json' https://api.example.com/answers
${exitHelp}
  22  the status is 400 or more, with --fail`

async function get(address: string, options: GetOptions): Promise<void> {
  const request = await readRequest(address, options)
  const say = progress(options.verbose)
  const by = options.verbose ? tellingFetch(reachingFetch) : reachingFetch
  const unpaid = await by(request.url, request.init)
  const costs = unpaid.status === 402
  if (options.dryRun && costs) {
    await rehearse(request, unpaid, options)
  } else if (options.dryRun) {
    sayFree(unpaid, options)
  } else {
    const purchase = costs ? await pay(request, unpaid, options, say, by) : freeOf(unpaid)
    await deliver(purchase, options)
    if (options.fail && purchase.response.status >= 400) throw new HttpStatusError(purchase.response.status)
  }
}

async function pay(request: OutgoingRequest, unpaid: Response, options: GetOptions, say: Say, by: typeof fetch) {
  const { settings, spend, offer } = await decide(request, unpaid, options)
  if (settings.dev?.buyer.address === settings.account.address) {
    say(`using the dev chain's account ${settings.account.address}`)
  }
  return buy(request, unpaid, offer, { settings, spend, say, by })
}

async function decide(request: OutgoingRequest, unpaid: Response, options: GetOptions) {
  const { protocol } = options
  requireOffers(unpaid, protocol)
  const settings = await readSettings(options, request.url)
  const spend = spendOf(options)
  const offer = chooseOffer(offersOf(unpaid, settings.chainId, protocol), settings, spend.budget)
  return { settings: protocol === undefined ? settings : onlyBy(protocol, settings, offer), spend, offer }
}

/** Contracts of other kinds are not this protocol's. */
function onlyBy(protocol: string, settings: Settings, { escrow }: Offer): Settings {
  return { ...settings, escrows: [escrow], protocols: protocolsOf(protocol) }
}

async function rehearse(request: OutgoingRequest, unpaid: Response, options: GetOptions): Promise<void> {
  const { settings, spend, offer } = await decide(request, unpaid, options)
  await sayPlan(offer, await planOf(offer, { settings, spend }), settings, options)
}

function spendOf({ max = MAX, deposit }: GetOptions): Spend {
  const budget = { perRequest: max, deposit: deposit ?? max * DEPOSIT_FACTOR }
  return { budget, ...(deposit !== undefined && { deposit }) }
}

function sayFree({ status }: Response, { json }: GetOptions): void {
  report(
    json,
    { status, price: 0n, action: 'none' },
    `This is free: the server answered ${status} and asked for nothing.`,
  )
}

async function sayPlan(offer: Offer, plan: Plan, { chain, account }: Settings, { json }: GetOptions): Promise<void> {
  const { price, token, receiver, escrow, chainId } = offer
  const holding = await holdingOf(chain, token, account.address)
  const channel = 'channel' in plan ? plan.channel.id : null
  const deposit = 'deposit' in plan ? plan.deposit : 0n
  const facts = { status: 402, price, token, receiver, escrow, chainId, account: account.address, holding }
  const info = json ? undefined : await readToken(chain, token)
  const rows = [
    ['price', amountText(price, info)],
    ['token', token],
    ['receiver', receiver],
    ['escrow', `${escrow} on chain ${chainId}`],
    ['account', `${account.address}, which holds ${amountText(holding, info)}`],
    ['would', planInWords(plan)],
  ]
  report(json, { ...facts, action: plan.way, channel, deposit }, table(rows), 'Nothing was signed or sent.')
  if (holding < deposit) warn(`farthing: the account holds less than the deposit of ${deposit} base units.`)
}

function planInWords(plan: Plan): string {
  if (plan.way === 'pay') return `pay on channel ${short(plan.channel.id)}; no transaction`
  if (plan.way === 'open') return `open a channel with a deposit of ${plan.deposit} base units, then pay on it`
  return `add ${plan.deposit} base units to channel ${short(plan.channel.id)}, then pay on it`
}

/** Whoever has one of these has the payment. */
const paying = new Set(['authorization', 'rdn-balance-signature', 'rdn-sender-proof'])

/** What goes over the wire, without what a payment is made of. */
function tellingFetch(by: typeof fetch): typeof fetch {
  const tell = (line: string) => warn(printable(line))
  return async (input, init) => {
    const { method, url, headers } = new Request(input, init)
    tell(`> ${method} ${url}`)
    for (const [name, value] of headers) tell(`> ${name}: ${paying.has(name) ? '(hidden)' : value}`)
    const response = await by(input, init)
    tell(`< ${response.status} ${response.statusText}`)
    for (const [name, value] of response.headers) tell(`< ${name}: ${value}`)
    return response
  }
}
