/** What the person sees once the wallet, the account and the channel are known. */
import { address, button, buttons, element, facts, paragraph, type Child } from './elements.ts'
import { nextTotal, owed, type ChannelAccount, type View } from './look.ts'
import { formatted, parsed, short } from './units.ts'

/** What was chosen beside paying. */
export type Mode = 'pay' | 'top up' | 'close' | 'close alone' | 'forget'

/** What the buttons do. */
export type Acts = {
  pay(): void
  deposit(amount: bigint): void
  topUp(amount: bigint): void
  close(): void
  requestClose(): void
  withdraw(): void
  forget(): void
  go(mode: Mode): void
}

/** Prices that are suggested for a deposit, if the account has as much. */
const PRICES = 100n

export function tokensIn({ token }: Pick<View, 'token'>, amount: bigint): string {
  return `${formatted(amount, token.decimals)} ${token.symbol}`
}

export function channelScreen(view: View, account: ChannelAccount, mode: Mode, acts: Acts): Child[] {
  if (account.channel.settleBlock > 0n) return closingScreen(view, account, acts)
  if (mode === 'close') return closeScreen(view, account, acts)
  if (mode === 'close alone') return closeAloneScreen(view, account, acts)
  if (mode === 'forget') return forgetScreen(acts)
  const isCovered = nextTotal(account, view.desk.offer.price) <= account.channel.deposit
  return mode === 'top up' || !isCovered ? topUpScreen(view, account, isCovered, acts) : payScreen(view, account, acts)
}

export function openScreen(view: View, acts: Acts): Child[] {
  const { price, receiver, escrow, chainId } = view.desk.offer
  const price100 = price * PRICES
  const suggested = view.held >= price100 || view.held < price ? price100 : view.held
  return [
    element('h2', {}, 'Put in a deposit once'),
    paragraph(
      `The first time, you lock a deposit in a contract: one transaction. From it you pay here with signatures, which cost no fee. `,
      `What you do not spend you get back when you close the channel.`,
    ),
    facts(
      ['Seller', address(receiver, short(receiver))],
      ['Contract', address(escrow, short(escrow))],
      ['Network', `${chainId}`],
    ),
    amountForm(view, { least: price, suggested, label: 'Deposit', act: 'Deposit and pay' }, (amount) =>
      acts.deposit(amount),
    ),
    element(
      'p',
      { class: 'small' },
      `Your wallet asks for the transaction, and then for a signature over ${tokensIn(view, price)}.`,
    ),
  ]
}

function payScreen(view: View, account: ChannelAccount, acts: Acts): Child[] {
  const { price, receiver } = view.desk.offer
  const next = nextTotal(account, price)
  const { deposit, openBlock } = account.channel
  const isSigned = next === account.total && account.signature !== undefined
  const words = isSigned
    ? [`You have signed ${tokensIn(view, next)} in all, and the seller still owes you for it. Nothing new is signed.`]
    : [
        'Your wallet will ask you to sign that ',
        address(receiver, short(receiver)),
        ` may take `,
        element('strong', {}, tokensIn(view, next)),
        ` in all from your channel (it shows this as `,
        element('code', {}, `balance ${next}`),
        `). That is ${tokensIn(view, next - account.total)} more than before.`,
      ]
  return [
    facts(
      ['Left in your channel', element('strong', {}, tokensIn(view, deposit - owed(account)))],
      ['Paid from it so far', tokensIn(view, owed(account))],
      ['Opened in block', `${openBlock}`],
    ),
    buttons(button(`Pay ${tokensIn(view, price)}`, 'main', () => acts.pay())),
    element('p', { class: 'small' }, ...words),
    buttons(
      button('Top up', 'other', () => acts.go('top up')),
      button('Close', 'other', () => acts.go('close')),
      button('Forget', 'other', () => acts.go('forget')),
    ),
  ]
}

function topUpScreen(view: View, account: ChannelAccount, isCovered: boolean, acts: Acts): Child[] {
  const { price } = view.desk.offer
  const { deposit } = account.channel
  const next = nextTotal(account, price)
  const least = isCovered ? 1n : next - deposit
  const price100 = price * PRICES
  const suggested = view.held >= price100 || view.held < least ? (price100 > least ? price100 : least) : view.held
  return [
    element('h2', {}, isCovered ? 'Top up' : 'Not enough is left'),
    facts(
      ['Left in your channel', tokensIn(view, deposit - owed(account))],
      ['This page costs', tokensIn(view, price)],
      ['Deposit so far', tokensIn(view, deposit)],
    ),
    amountForm(view, { least, suggested, label: 'Add to the deposit', act: 'Top up and pay' }, (amount) =>
      acts.topUp(amount),
    ),
    buttons(
      ...(isCovered ? [button('Back', 'other', () => acts.go('pay'))] : []),
      button('Close instead', 'other', () => acts.go('close')),
    ),
  ]
}

function closeScreen(view: View, account: ChannelAccount, acts: Acts): Child[] {
  return [
    element('h2', {}, 'Close the channel?'),
    paragraph(
      `The seller gets ${tokensIn(view, owed(account))} in all, and `,
      element('strong', {}, `${tokensIn(view, account.channel.deposit - owed(account))} go back to you`),
      `. The seller is asked to agree; then one transaction of yours ends it at once.`,
    ),
    buttons(
      button('Close the channel', 'main', () => acts.close()),
      button('Back', 'other', () => acts.go('pay')),
    ),
  ]
}

function closeAloneScreen(view: View, account: ChannelAccount, acts: Acts): Child[] {
  return [
    element('h2', {}, 'Close without the seller?'),
    paragraph(
      `You can close alone. Your transaction states that you owe ${tokensIn(view, owed(account))}. The seller then has ${view.period} blocks to show that it is more. `,
      `After that you take the rest with a second transaction.`,
    ),
    buttons(
      button('Request the close', 'main', () => acts.requestClose()),
      button('Ask the seller again', 'other', () => acts.go('close')),
      button('Back', 'other', () => acts.go('pay')),
    ),
  ]
}

function closingScreen(view: View, account: ChannelAccount, acts: Acts): Child[] {
  const { settleBlock, deposit } = account.channel
  // One more than the contract asks for: wallets try a transaction in the newest block first, and that must be past it.
  const left = settleBlock >= view.head ? settleBlock - view.head + 1n : 0n
  return [
    element('h2', {}, 'This channel is closing'),
    paragraph(
      left > 0n
        ? `The seller has time to answer. In ${left} blocks the rest of the ${tokensIn(view, deposit)} is yours to take.`
        : `The time of the seller is over. Take the rest of the ${tokensIn(view, deposit)} with one transaction.`,
    ),
    buttons(
      left > 0n
        ? button('Look again', 'other', () => acts.go('pay'))
        : button('Take the rest', 'main', () => acts.withdraw()),
    ),
    element('h2', {}, 'Or pay with a new channel'),
    ...openScreen(view, acts).slice(2),
  ]
}

function forgetScreen(acts: Acts): Child[] {
  return [
    element('h2', {}, 'Forget this channel?'),
    paragraph(
      'Only this browser forgets its records and cookies. The channel and its deposit stay on the chain, and are found there again.',
    ),
    buttons(
      button('Forget', 'main', () => acts.forget()),
      button('Back', 'other', () => acts.go('pay')),
    ),
  ]
}

type Amounts = { readonly least: bigint; readonly suggested: bigint; readonly label: string; readonly act: string }

/** A field for an amount, checked when it is sent. */
function amountForm(view: View, { least, suggested, label, act }: Amounts, done: (amount: bigint) => void) {
  const { decimals, symbol } = view.token
  const field = element('input', {
    id: 'amount',
    inputmode: 'decimal',
    autocomplete: 'off',
    value: formatted(suggested, decimals).replaceAll(',', ''),
    'aria-describedby': 'amount-problem',
  })
  const problem = element('p', { id: 'amount-problem', class: 'bad', role: 'alert' })
  const form = element(
    'form',
    {},
    element('label', { for: 'amount' }, label),
    element('div', { class: 'field' }, field, element('span', {}, symbol)),
    element('p', { class: 'small' }, `Your account has ${tokensIn(view, view.held)}.`),
    problem,
    buttons(element('button', { type: 'submit', class: 'main' }, act)),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const amount = parsed(field.value, decimals)
    const wrong = objection(view, least, amount)
    problem.textContent = wrong ?? ''
    if (wrong === undefined && amount !== undefined) done(amount)
    else field.focus()
  })
  return form
}

function objection(view: View, least: bigint, amount: bigint | undefined): string | undefined {
  if (amount === undefined) return `Write an amount with at most ${view.token.decimals} decimals, for example 1.5.`
  if (amount < least) return `At least ${tokensIn(view, least)} are needed.`
  if (amount > view.held) return `Your account has only ${tokensIn(view, view.held)}.`
  if (amount >> 192n > 0n) return 'This is more than the contract can hold.'
  return undefined
}
