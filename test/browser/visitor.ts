/**
 * A person with a browser and a wallet: a real Chromium, and a wallet that is
 * injected as EIP-1193 and EIP-6963 say, with a key and a node of its own.
 *
 * The wallet signs by the specifications, without any code of ours.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { chromium, type Browser, type Page } from 'playwright-core'
import { concat, encodePacked, keccak256, type Address, type Hex, type TypedDataDefinition } from 'viem'
import { privateKeyToAccount, sign } from 'viem/accounts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { rpc, walletOf } from '../support/market.ts'

/** Where a browser is. @throws if there is none, with how to get one */
export async function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}. Install one (apt-get install -y --no-install-recommends chromium fonts-liberation) or set CHROMIUM_PATH.`,
    )
  }
  return chromium.launch({ executablePath })
}

/** Bundles the script of the page from the sources, beside what others may be reading at this moment. */
export async function build(): Promise<void> {
  const folder = `dist/web/${process.pid}`
  await promisify(execFile)('npm', ['run', 'build:web', '--', `--outdir=${folder}`])
  for (const name of ['paywall.js', 'paywall.css']) await rename(`${folder}/${name}`, `dist/web/${name}`)
  await rm(folder, { recursive: true })
}

export type Asked = { readonly method: string; readonly params: readonly unknown[] }

/** The keys of one person, what the wallet was asked for, and what the person says to it. */
export type Keys = {
  accounts: readonly { readonly address: Address; readonly privateKey: Hex }[]
  readonly asked: Asked[]
  /** Methods to which the person says no. */
  readonly denied: Set<string>
  /** Of the network that the wallet shows. */
  chainId: number
  connected: boolean
  /** Whether the wallet's node shows the token as one without ERC-223. */
  plainToken: boolean
}

export function keysOf(world: LocalChain, ...accounts: Keys['accounts']): Keys {
  return { accounts, asked: [], denied: new Set(), chainId: world.chainId, connected: false, plainToken: false }
}

export type Visitor = {
  /** The tab that is looked at. */
  page: Page
  readonly keys: Keys
  /** Requests that went anywhere but to `origin`. */
  readonly strays: string[]
  /** What the Content-Security-Policy stopped, and errors of scripts. */
  readonly faults: string[]
  /** How often the wallet was asked for something. */
  count(method: string): number
  leave(): Promise<void>
}

/** A browser of its own, without cookies and without a past. */
export async function visit(browser: Browser, world: LocalChain, origin: string, keys: Keys): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 } })
  const strays: string[] = []
  const faults: string[] = []
  context.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) strays.push(request.url())
  })
  context.on('weberror', (error) => faults.push(error.error().message))
  context.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text())
  })
  await context.exposeFunction('askWallet', (method: string, params: unknown[]) => answer(world, keys, method, params))
  await context.addInitScript(inject)
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const count = (method: string) => keys.asked.filter((asked) => asked.method === method).length
  return { page, keys, strays, faults, count, leave: () => context.close() }
}

/** Runs in the page, as the script of an extension does. */
function inject(): void {
  type Answer = { result?: unknown; error?: { code: number; message: string } }
  const askWallet = (window as unknown as { askWallet(method: string, params: unknown[]): Promise<Answer> }).askWallet
  const listeners = new Map<string, (() => void)[]>()
  const provider = {
    request: async ({ method, params = [] }: { method: string; params?: unknown[] }) => {
      const { result, error } = await askWallet(method, params)
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      if (method === 'wallet_switchEthereumChain') for (const hear of listeners.get('chainChanged') ?? []) hear()
      return result
    },
    on: (event: string, hear: () => void) => listeners.set(event, [...(listeners.get(event) ?? []), hear]),
  }
  // The person chooses another account in the wallet.
  window.addEventListener('test-wallet:accounts', () => {
    for (const hear of listeners.get('accountsChanged') ?? []) hear()
  })
  const info = {
    uuid: '7d9f1c1e-0000-4000-8000-000000000001',
    name: 'Test Wallet',
    icon: 'data:,',
    rdns: 'test.wallet',
  }
  const announce = () =>
    window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }))
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
}

async function answer(world: LocalChain, keys: Keys, method: string, params: readonly unknown[]) {
  keys.asked.push({ method, params })
  try {
    if (keys.denied.has(method)) throw Object.assign(new Error('MetaMask: User denied.'), { code: 4001 })
    return { result: await result(world, keys, method, params) }
  } catch (error) {
    const { code = -32603, message } = error as { code?: number; message: string }
    return { error: { code, message } }
  }
}

async function result(world: LocalChain, keys: Keys, method: string, params: readonly unknown[]): Promise<unknown> {
  switch (method) {
    case 'eth_requestAccounts':
      keys.connected = true
      return keys.accounts.map(({ address }) => address)
    case 'eth_accounts':
      return keys.connected ? keys.accounts.map(({ address }) => address) : []
    case 'eth_chainId':
      return `0x${keys.chainId.toString(16)}`
    case 'wallet_switchEthereumChain':
      keys.chainId = Number((params[0] as { chainId: string }).chainId)
      return null
    case 'eth_signTypedData':
      return signFirstVersion(keyOf(keys, params[1]), params[0] as TypedMember[])
    case 'eth_signTypedData_v4':
      return signFourthVersion(keyOf(keys, params[0]), params[1] as string)
    case 'eth_sendTransaction': {
      const { from, to, data } = params[0] as { from: Address; to: Address; data: Hex }
      const { hash } = await walletOf(world, { privateKey: keyOf(keys, from) }).send({ to, data })
      return hash
    }
    case 'eth_getCode':
      return keys.plainToken ? '0x60806040' : rpc(world, method, ...params)
    default:
      return rpc(world, method, ...params)
  }
}

type TypedMember = { readonly type: string; readonly name: string; readonly value: string }

/** As `eth_signTypedData` was before EIP-712: two hashes of packed values, and no prefix. */
function signFirstVersion(privateKey: Hex, members: readonly TypedMember[]): Promise<Hex> {
  const schema = encodePacked(
    members.map(() => 'string'),
    members.map(({ type, name }) => `${type} ${name}`),
  )
  const values = encodePacked(
    members.map(({ type }) => type),
    members.map(({ type, value }) => (type.startsWith('uint') ? BigInt(value) : value)),
  )
  const hash = keccak256(concat([keccak256(schema), keccak256(values)]))
  return sign({ hash, privateKey, to: 'hex' })
}

function signFourthVersion(privateKey: Hex, json: string): Promise<Hex> {
  const typed = JSON.parse(json) as TypedDataDefinition & { types: Record<string, unknown> }
  const types = Object.fromEntries(Object.entries(typed.types).filter(([name]) => name !== 'EIP712Domain'))
  return privateKeyToAccount(privateKey).signTypedData({ ...typed, types } as TypedDataDefinition)
}

function keyOf({ accounts }: Keys, address: unknown): Hex {
  const account = accounts.find((one) => one.address.toLowerCase() === String(address).toLowerCase())
  if (!account) throw Object.assign(new Error(`no account ${String(address)}`), { code: 4100 })
  return account.privateKey
}
