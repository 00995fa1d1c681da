/** Paying: sign the next total, hand it over in cookies, and load the page again. Opening and topping up end in it. */
import { channelAt, depositCalls, findChannel, openBlockIn, type ChannelFacts } from './escrow.ts'
import { setPayment } from './facts.ts'
import { nextTotal, type ChannelAccount, type View } from './look.ts'
import {
  getOpening,
  getRemembered,
  nameOf,
  remember,
  rememberOpening,
  rememberSent,
  type Remembered,
} from './records.ts'
import { signVoucher } from './sign.ts'
import { FAILED, mined, transact, type Say } from './transact.ts'
import { accountsOf, ask, quantity, WalletError } from './wallet.ts'

/** Words about what happened, for the next screen. */
export type Notice = { readonly kind: 'good' | 'bad' | 'plain'; readonly words: string }

/** Signs one price more than what was signed, and leaves this page. Returns only with the reason why it did not. */
export function pay(view: View, account: ChannelAccount, say: Say): Promise<Notice> {
  return alone(view, () => signAndLeave(view, account, say))
}

/** Opens a channel with `deposit` base units and pays from it. */
export function openAndPay(view: View, deposit: bigint, say: Say): Promise<Notice> {
  return alone(view, async () => {
    const { desk } = view
    const found = await findChannel(desk)
    if (found && found.settleBlock === 0n)
      return plain('There is a channel already, perhaps from another tab. Nothing was sent.')
    const calls = await depositCalls(desk, deposit)
    const last = calls.at(-1)
    const receipt = await forgettingFailures(view, () =>
      transact(desk, calls, say, (hash, one) => {
        if (one === last) rememberOpening(desk, hash)
      }),
    )
    const openBlock = openBlockIn(desk, receipt)
    const channel = openBlock === undefined ? undefined : await opened(view, openBlock)
    if (!channel) return bad('The transaction is in a block, but it opened no channel. Nothing more was sent.')
    return signAndLeave(view, { channel, total: 0n, signature: undefined, credit: 0n, complete: true }, say)
  })
}

/** Waits for an opening that an earlier page has sent. */
export async function finishOpening(view: View, say: Say): Promise<void> {
  const { desk } = view
  const hash = getOpening(desk)
  if (!hash) return
  const known = await ask(desk.wallet, 'eth_getTransactionByHash', [hash])
  if (known === null) {
    rememberOpening(desk, undefined) // dropped, or replaced by one that the logs will show
    return
  }
  const receipt = await forgettingFailures(view, () => mined(desk, hash, 'the deposit', say))
  const openBlock = openBlockIn(desk, receipt)
  if (openBlock === undefined) rememberOpening(desk, undefined)
  else await opened(view, openBlock)
}

/** Adds `amount` base units to the deposit and pays. */
export function topUpAndPay(view: View, account: ChannelAccount, amount: bigint, say: Say): Promise<Notice> {
  return alone(view, async () => {
    const { desk } = view
    const { openBlock } = account.channel
    await transact(desk, await depositCalls(desk, amount, openBlock), say)
    const channel = await channelAt(desk, openBlock)
    if (!channel) return bad('The channel has ended.')
    return signAndLeave(view, { ...account, channel }, say)
  })
}

/** Loads this page again, with the cookies that are set now. Never resolves. */
export function leave(): Promise<never> {
  location.reload()
  return new Promise(() => undefined)
}

/** One tab at a time signs for one account: two that sign the same total would pay once and be served once. */
export async function alone({ desk }: View, work: () => Promise<Notice>): Promise<Notice> {
  const { wallet, account, offer } = desk
  if ((await quantity(wallet, 'eth_chainId')) !== BigInt(offer.chainId))
    return plain('The wallet has changed networks.')
  if (!(await accountsOf(wallet)).includes(account)) return plain('The wallet shows another account now.')
  if (!('locks' in navigator)) return work() // over plain http; then the record is compared before and after
  return navigator.locks.request(nameOf(desk), { ifAvailable: true }, (lock) =>
    lock ? work() : plain('Another tab of this site is waiting for your wallet. Finish there first.'),
  )
}

export function plain(words: string): Notice {
  return { kind: 'plain', words }
}

export function bad(words: string): Notice {
  return { kind: 'bad', words }
}

async function signAndLeave(view: View, account: ChannelAccount, say: Say): Promise<Notice> {
  const { desk } = view
  const { price } = desk.offer
  const { openBlock } = account.channel
  if (!isAsSeen(getRemembered(desk), account)) return plain('Another tab has paid meanwhile. These are the new sums.')
  const channel = await channelAt(desk, openBlock)
  if (!channel || channel.settleBlock > 0n) return bad('The channel has been closed. Nothing was signed.')
  const total = nextTotal(account, price)
  if (total > channel.deposit) return bad('The deposit does not cover this payment. Nothing was signed.')
  const isSigned = total === account.total && account.signature
  if (!isSigned) say('Sign the payment in your wallet.')
  const signature = isSigned || (await signVoucher(desk, openBlock, total)).signature
  if (!isAsSeen(getRemembered(desk), account))
    return plain('Another tab has paid while you signed. This signature was thrown away.')
  remember(desk, { openBlock, total, signature, complete: true })
  setPayment(desk.account, openBlock, { cumulativeAmount: total, signature })
  rememberSent({ url: location.href, price, tries: 0, atMs: Date.now(), blind: !account.complete })
  say('Paid. The page is on its way.')
  return leave()
}

/** Without storage there is nothing to compare; then there is one tab that knows of this. */
function isAsSeen(now: Remembered | undefined, { channel, total }: ChannelAccount): boolean {
  if (!now) return true
  return now.openBlock === channel.openBlock && (now.total === total || now.total < channel.settled)
}

async function opened({ desk }: View, openBlock: bigint): Promise<ChannelFacts | undefined> {
  remember(desk, { openBlock, total: 0n, complete: true })
  rememberOpening(desk, undefined)
  return channelAt(desk, openBlock)
}

async function forgettingFailures<value>({ desk }: View, work: () => Promise<value>): Promise<value> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof WalletError && error.code === FAILED) rememberOpening(desk, undefined)
    throw error
  }
}
