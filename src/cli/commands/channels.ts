/** `farthing channels`: what the account has put where, and what is left. */
import type { Command } from 'commander'
import { authorized, available, type Channel } from '../../channel/channel.ts'
import type { Client } from '../../sender/client.ts'
import { exitHelp } from '../exit.ts'
import { findChannel, withViewer } from '../open.ts'
import { protocolNameOf } from '../plan.ts'
import { report, short, table } from '../print.ts'
import { readSettings, withChainOptions, type ChainOptions } from '../settings.ts'
import { amountText, readToken, type TokenInfo } from '../tokens.ts'

type Options = ChainOptions & { readonly json?: boolean }

export function addChannels(program: Command): void {
  const channels = program
    .command('channels')
    .summary("list the account's payment channels")
    .description("Lists the account's payment channels, after a look at the chain. Needs no password.")
    .helpCommand(false)
  const list = channels.command('list', { isDefault: true }).description('all channels of the account, closed ones too')
  withChainOptions(list)
    .option('--json', 'print one JSON object: {"channels":[…]}')
    .addHelpText('after', help)
    .action(async (options: Options) => listChannels(options))
  const show = channels
    .command('show')
    .description('everything about one channel')
    .argument('<id>', 'its id, or how it begins')
  withChainOptions(show)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (id: string, options: Options) => showChannel(id, options))
}

const help = `
Examples:
  farthing channels
  farthing channels --json
  farthing channels show 0x48164f75
${exitHelp}`

async function listChannels({ json, ...options }: Options): Promise<void> {
  const channels = await withViewer(await readSettings(options), channelsOf)
  const none = 'No channels yet. `farthing get URL` opens one when something costs money.'
  report(json, { channels: channels.map(facts) }, channels.length === 0 ? none : table([titles, ...channels.map(row)]))
}

const titles = ['ID', 'STATUS', 'PROTOCOL', 'RECEIVER', 'DEPOSIT', 'CHARGED', 'AVAILABLE', 'TOKEN']

function row(channel: Channel): string[] {
  const { id, status, receiver, deposit, charged, token } = channel
  return [
    short(id),
    status,
    protocolNameOf(channel),
    short(receiver),
    `${deposit}`,
    `${charged}`,
    `${available(channel)}`,
    short(token),
  ]
}

async function channelsOf(client: Client): Promise<Channel[]> {
  const channels: Channel[] = []
  for await (const channel of client.channels()) channels.push(channel)
  return channels
}

async function showChannel(id: string, options: Options): Promise<void> {
  const settings = await readSettings(options)
  const { state, url } = await withViewer(settings, async (client) => {
    const { state, channel } = await findChannel(client, id)
    return { state, url: await channel.url() }
  })
  const token = await readToken(settings.chain, state.token)
  report(options.json, { ...facts(state), url: url ?? null }, inWords(state, url, token))
}

function facts(channel: Channel) {
  const { id, chainId, escrow, sender, receiver, token, signer, status, deposit, settled, charged } = channel
  const amounts = { deposit, settled, charged, authorized: authorized(channel), available: available(channel) }
  return {
    id,
    status,
    protocol: protocolNameOf(channel),
    ...amounts,
    sender,
    receiver,
    token,
    signer,
    chainId,
    escrow,
    withdrawableAt: endOf(channel),
  }
}

function inWords(channel: Channel, url: string | undefined, token: TokenInfo | undefined): string {
  const { id, status, sender, receiver, escrow, chainId, deposit, settled, charged } = channel
  const amount = (units: bigint) => amountText(units, token)
  const end = endOf(channel)
  return table([
    ['channel', id],
    ['status', end === null || status !== 'closing' ? status : `closing; can be withdrawn after ${end}`],
    ['protocol', protocolNameOf(channel)],
    ['sender', sender],
    ['receiver', receiver],
    ['token', channel.token],
    ['escrow', `${escrow} on chain ${chainId}`],
    ['deposit', amount(deposit)],
    ['charged', amount(charged)],
    ['authorized', amount(authorized(channel))],
    ['available', amount(available(channel))],
    ['settled', amount(settled)],
    ...(url === undefined ? [] : [['last used', url]]),
  ])
}

function endOf({ withdrawableAt: at }: Channel): string | null {
  if (!at) return null
  return 'time' in at ? new Date(Number(at.time) * 1000).toISOString() : `block ${at.block}`
}
