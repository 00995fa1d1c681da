/**
 * Wallets of this browser, and asking one of them.
 *
 * Everything that the page knows of the chain it asks through the wallet, so it
 * talks to no node and to no other site.
 *
 * @see EIP-1193, EIP-6963
 */
import type { Address, Hex } from 'viem'
import * as read from '../../base/read.ts'

export type Provider = {
  request(ask: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown>
  on?(event: string, listener: () => void): unknown
}

export type Wallet = { readonly name: string; readonly provider: Provider }

/** The person said no. Nothing has changed. */
export class DeniedError extends Error {
  override readonly name = 'DeniedError'
}

/** The wallet, or the node behind it, could not do it. `code` as in EIP-1193 and JSON-RPC. */
export class WalletError extends Error {
  override readonly name = 'WalletError'
  readonly code: number
  constructor(message: string, code: number) {
    super(message)
    this.code = code
  }
}

/** How long to wait for a wallet that has not shown itself, and for others once one has. */
const PATIENCE_MS = 3_000
const OTHERS_MS = 100

/** All that show themselves; none after a while. */
export async function findWallets(): Promise<Wallet[]> {
  const found = new Map<string, Wallet>()
  const hear = (event: Event) => {
    const wallet = 'detail' in event ? announced(event.detail) : undefined
    if (wallet) found.set(wallet.id, wallet)
  }
  window.addEventListener('eip6963:announceProvider', hear)
  window.dispatchEvent(new Event('eip6963:requestProvider'))
  const end = Date.now() + PATIENCE_MS
  while (found.size === 0 && !injected() && Date.now() < end) await pause(50)
  if (found.size > 0) await pause(OTHERS_MS)
  window.removeEventListener('eip6963:announceProvider', hear)
  const old = injected()
  if (found.size === 0 && old) return [{ name: 'browser wallet', provider: old }]
  return [...found.values()]
}

/** @throws {DeniedError} | {@link WalletError} */
export async function ask({ provider }: Wallet, method: string, params: readonly unknown[] = []): Promise<unknown> {
  try {
    return await provider.request({ method, params })
  } catch (error) {
    const { code, message } = described(error)
    if (code === 4001) throw new DeniedError('You said no in the wallet. Nothing was signed or sent.')
    throw new WalletError(message, code)
  }
}

/** The answer of a contract, as hex. */
export async function call(wallet: Wallet, to: Address, data: Hex): Promise<string> {
  return read.text(await ask(wallet, 'eth_call', [{ to, data }, 'latest']), 'answer of the wallet', 1_000_000)
}

export async function quantity(wallet: Wallet, method: string, params: readonly unknown[] = []): Promise<bigint> {
  return BigInt(read.text(await ask(wallet, method, params), method))
}

/** Lower case. `ask` makes the wallet ask the person. */
export async function accountsOf(
  wallet: Wallet,
  method: 'eth_accounts' | 'eth_requestAccounts' = 'eth_accounts',
): Promise<Address[]> {
  const accounts = await ask(wallet, method)
  return Array.isArray(accounts) ? accounts.map((one: unknown) => read.address(one, 'account')) : []
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function announced(detail: unknown): (Wallet & { readonly id: string }) | undefined {
  if (typeof detail !== 'object' || detail === null || !('info' in detail) || !('provider' in detail)) return undefined
  const { info, provider } = detail
  if (typeof info !== 'object' || info === null || !isProvider(provider)) return undefined
  const name = 'name' in info && typeof info.name === 'string' ? info.name.slice(0, 40) : 'wallet'
  const id = 'uuid' in info && typeof info.uuid === 'string' ? info.uuid : name
  return { id, name, provider }
}

function injected(): Provider | undefined {
  const provider: unknown = Reflect.get(window, 'ethereum')
  return isProvider(provider) ? provider : undefined
}

function isProvider(value: unknown): value is Provider {
  return typeof value === 'object' && value !== null && 'request' in value && typeof value.request === 'function'
}

/** Wallets wrap the errors of their nodes, and say no in more than one way. */
function described(error: unknown): { code: number; message: string } {
  if (typeof error !== 'object' || error === null) return { code: -32603, message: String(error) }
  const code = 'code' in error && typeof error.code === 'number' ? error.code : -32603
  const message = 'message' in error && typeof error.message === 'string' ? error.message : 'The wallet failed.'
  const saidNo = code === 4001 || /user (denied|rejected)/i.test(message)
  return { code: saidNo ? 4001 : code, message: message.slice(0, 300) }
}
