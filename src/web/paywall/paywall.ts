/**
 * The payment page in the browser: reads the offer, connects a wallet, finds or
 * opens a channel, signs one price more, and loads the page again.
 *
 * Whatever was done, it looks again and shows what is now: there is one place
 * that decides what a person sees, and nothing to keep in step with the chain.
 *
 * @see docs/how-to/let-people-pay-in-a-browser.md
 */
import { MalformedPaymentError } from '../../base/errors.ts'
import { closeTogether, requestClose, withdraw } from './close.ts'
import { accountLine, arrive, type Arrived, type Choice } from './connect.ts'
import { button, buttons } from './elements.ts'
import { readOffer, removePayment, takeTold, type Offer } from './facts.ts'
import { adopt, look, type Heard, type View } from './look.ts'
import { bad, finishOpening, openAndPay, pay, plain, topUpAndPay, type Notice } from './pay.ts'
import { forget, getOpening, getSent, rememberSent } from './records.ts'
import { channelScreen, openScreen, tokensIn, type Acts, type Mode } from './screens.ts'
import { createStage, type Stage } from './stage.ts'
import { isWorthWaiting, justPaid, noChannelKind, refusalNotice, waitForServer } from './waiting.ts'
import { DeniedError, findWallets, WalletError, type Wallet } from './wallet.ts'

const root = document.getElementById('paywall')
const offer = root?.dataset.offer
if (root && offer !== undefined) void open(createStage(root, document.querySelector('h1')), readOffer(offer))

/** What changes while the page is open. */
type Now = {
  busy: boolean
  /** Something happened outside while it was busy. */
  stale: boolean
  mode: Mode
  notice: Notice | undefined
  readonly choice: Choice
}

type Page = {
  readonly stage: Stage
  readonly offer: Offer
  readonly wallets: readonly Wallet[]
  readonly now: Now
  readonly told: ReturnType<typeof takeTold>
  hear: Parameters<typeof look>[1]
}

async function open(stage: Stage, offer: Offer): Promise<void> {
  document.querySelector('details')?.removeAttribute('open') // what stands there is for those without a script
  stage.wait('Looking for your wallet.')
  const told = takeTold()
  const wallets = await findWallets()
  const now: Now = { busy: false, stale: false, mode: 'pay', notice: undefined, choice: {} }
  const page: Page = { stage, offer, wallets, now, told, hear: hearOnce(now, told) }
  const again = () => {
    if (now.busy) now.stale = true
    else run(page, () => Promise.resolve(now.notice))
  }
  for (const { provider } of wallets) {
    provider.on?.('accountsChanged', again)
    provider.on?.('chainChanged', again)
  }
  window.addEventListener('storage', again)
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload()
  })
  run(page, () => Promise.resolve(undefined))
}

/** Does one thing, says what came of it, and looks again. While it runs, nothing else does. */
function run(page: Page, work: () => Promise<Notice | undefined>): void {
  const { now } = page
  if (now.busy) return
  now.busy = true
  void (async () => {
    now.notice = await noticeOf(work)
    do {
      now.stale = false
      const problem = await noticeOf(() => show(page))
      if (problem) page.stage.show(problem, buttons(button('Try again', 'main', () => run(page, nothing))))
    } while (isStale(now))
    now.busy = false
  })()
}

/** Asked anew each time: events change it while others are awaited. */
function isStale({ stale }: Now): boolean {
  return stale
}

function nothing(): Promise<undefined> {
  return Promise.resolve(undefined)
}

async function noticeOf(work: () => Promise<Notice | undefined>): Promise<Notice | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DeniedError) return plain(error.message)
    if (error instanceof WalletError) return bad(`The wallet says: ${error.message}`)
    if (error instanceof MalformedPaymentError)
      return bad(`The wallet or its node answered strangely: ${error.message}`)
    throw error
  }
}

async function show(page: Page): Promise<undefined> {
  const { stage, now, wallets, offer } = page
  const arrived = await arrive(wallets, now.choice, offer, (work) =>
    run(page, async () => {
      await work()
      return undefined
    }),
  )
  if (!('desk' in arrived)) stage.show(now.notice, ...arrived)
  else await showDesk(page, arrived)
  return undefined
}

async function showDesk(page: Page, arrived: Arrived): Promise<void> {
  const { stage, now, told } = page
  stage.wait('Looking at your channel.')
  const view = await look(arrived.desk, page.hear)
  if (!view) {
    stage.show(now.notice, ...noChannelKind())
    return
  }
  stage.title(`This page costs ${tokensIn(view, page.offer.price)}`)
  if (getOpening(view.desk)) {
    await finishOpening(view, stage.wait)
    now.stale = true
    return
  }
  const { account } = view
  const sent = getSent()
  if (sent && account && isWorthWaiting(told, sent, view, account)) {
    await waitForServer(stage, sent, view, account)
    return
  }
  const notice = now.notice ?? justPaid(sent, (price) => tokensIn(view, price))
  const who = accountLine(arrived, tokensIn(view, view.held), (chosen) => {
    now.choice.account = chosen
    run(page, nothing)
  })
  const acts = actsOf(page, view)
  stage.show(notice, who, ...(account ? channelScreen(view, account, now.mode, acts) : openScreen(view, acts)))
}

/** The words of the server are about the payment before this page, so they count once. */
function hearOnce(now: Now, told: ReturnType<typeof takeTold>): Parameters<typeof look>[1] {
  let heard: Heard | undefined
  return (desk, known) => {
    if (heard) return heard
    heard = adopt(desk, known, told)
    const notice = heard.notice === undefined ? refusalNotice(told, getSent()) : plain(heard.notice)
    now.notice ??= notice
    if (told.refusal === 'underpaid') rememberSent(undefined) // it bought nothing
    return heard
  }
}

function actsOf(page: Page, view: View): Acts {
  const { now, stage, told } = page
  const { account, desk } = view
  const act = (work: () => Promise<Notice | undefined>) => run(page, work)
  const go = (mode: Mode) => {
    now.mode = mode
    act(nothing)
  }
  const withAccount = (work: (channel: NonNullable<typeof account>) => Promise<Notice>) => {
    if (account) act(() => work(account))
  }
  const refused = (words: string): Notice => {
    now.mode = 'close alone'
    return bad(`The seller did not agree: ${words}`)
  }
  return {
    go,
    pay: () => withAccount((of) => pay(view, of, stage.wait)),
    deposit: (amount) => act(() => openAndPay(view, amount, stage.wait)),
    topUp: (amount) => withAccount((of) => topUpAndPay(view, of, amount, stage.wait)),
    close: () =>
      withAccount((of) => {
        now.mode = 'pay'
        return closeTogether(view, of, { gateway: told.gateway, refused }, stage.wait)
      }),
    requestClose: () =>
      withAccount((of) => {
        now.mode = 'pay'
        return requestClose(view, of, stage.wait)
      }),
    withdraw: () => withAccount((of) => withdraw(view, of, stage.wait)),
    forget: () => {
      forget(desk)
      removePayment()
      go('pay')
    },
  }
}
