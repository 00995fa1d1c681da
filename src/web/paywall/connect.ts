/** From a browser to a desk: a wallet, an account, the right chain. Each step is a screen of its own until it is done. */
import type { Address } from 'viem'
import { address, button, buttons, element, paragraph, type Child } from './elements.ts'
import type { Desk } from './escrow.ts'
import type { Offer } from './facts.ts'
import { short } from './units.ts'
import { accountsOf, ask, quantity, WalletError, type Wallet } from './wallet.ts'

/** What the person has chosen so far. */
export type Choice = { wallet?: Wallet; account?: Address }

export type Arrived = { readonly desk: Desk; readonly accounts: readonly Address[] }

/** Does something that may fail, and then looks again. */
export type Run = (work: () => Promise<unknown>) => void

/** A desk, or the screen that is in the way of one. */
export async function arrive(
  wallets: readonly Wallet[],
  choice: Choice,
  offer: Offer,
  run: Run,
): Promise<Arrived | readonly Child[]> {
  const [first, second] = wallets
  if (!first) return noWallet()
  const wallet = choice.wallet ?? (second ? undefined : first)
  if (!wallet) return whichWallet(wallets, choice, run)
  const accounts = await accountsOf(wallet)
  const account = accounts.find((one) => one === choice.account) ?? accounts[0]
  if (!account) return connect(wallet, run)
  const chain = await quantity(wallet, 'eth_chainId')
  if (chain !== BigInt(offer.chainId)) return otherChain(wallet, chain, offer, run)
  return { desk: { wallet, account, offer }, accounts }
}

/** Who pays: with several accounts a choice. */
export function accountLine(
  { desk, accounts }: Arrived,
  held: string,
  choose: (account: Address) => void,
): HTMLElement {
  const { account, wallet } = desk
  if (accounts.length < 2)
    return element('p', { class: 'account' }, `${wallet.name} `, address(account, short(account)), ` has ${held}`)
  const options = accounts.map((one) =>
    element('option', one === account ? { value: one, selected: '' } : { value: one }, short(one)),
  )
  const select = element('select', { 'aria-label': 'Account' }, ...options)
  select.addEventListener('change', () => {
    const chosen = accounts.find((one) => one === select.value)
    if (chosen) choose(chosen)
  })
  return element('p', { class: 'account' }, `${wallet.name} `, select, ` has ${held}`)
}

function noWallet(): Child[] {
  return [
    element('h2', {}, 'No wallet found in this browser'),
    paragraph(
      'To pay here you need a wallet for Ethereum in this browser, for example as an extension. Install or unlock one, and load this page again.',
    ),
    buttons(button('Look again', 'main', () => location.reload())),
  ]
}

function whichWallet(wallets: readonly Wallet[], choice: Choice, run: Run): Child[] {
  const choices = wallets.map((wallet) =>
    button(wallet.name, 'main', () => {
      choice.wallet = wallet
      run(() => accountsOf(wallet, 'eth_requestAccounts'))
    }),
  )
  return [element('h2', {}, 'Which wallet?'), buttons(...choices)]
}

function connect(wallet: Wallet, run: Run): Child[] {
  return [
    paragraph(
      'Your wallet shows this page the address of your account, and asks you before anything is signed or sent.',
    ),
    buttons(button(`Connect ${wallet.name}`, 'main', () => run(() => accountsOf(wallet, 'eth_requestAccounts')))),
  ]
}

/** @see EIP-3326 */
function otherChain(wallet: Wallet, chain: bigint, { chainId }: Offer, run: Run): Child[] {
  const change = async () => {
    try {
      await ask(wallet, 'wallet_switchEthereumChain', [{ chainId: `0x${chainId.toString(16)}` }])
    } catch (error) {
      if (!(error instanceof WalletError) || error.code !== 4902) throw error
      throw new WalletError(`Your wallet does not know the network ${chainId}. Add it there first.`, error.code)
    }
  }
  return [
    element('h2', {}, 'Another network'),
    paragraph(`Your wallet is on the network ${chain}. This seller is paid on the network ${chainId}.`),
    buttons(button(`Change to network ${chainId}`, 'main', () => run(change))),
  ]
}
