/** After a payment that the server could not take yet: wait and hand it over again, for a while. */
import { button, buttons, element, paragraph } from './elements.ts'
import type { Told } from './facts.ts'
import { SHOWN, type ChannelAccount, type View } from './look.ts'
import { leave, type Notice } from './pay.ts'
import { rememberSent, type Sent } from './records.ts'
import type { Stage } from './stage.ts'
import { pause } from './wallet.ts'

/** Together about six minutes. */
const MOST_TRIES = 75
const LONGEST_MS = 5_000
/** A channel that is older than this many blocks should be known everywhere. */
const YOUNG_BLOCKS = 100n

/** Whether what was signed may yet be taken as it is. */
export function isWorthWaiting(
  { refusal }: Told,
  sent: Sent | undefined,
  { head }: View,
  account: ChannelAccount,
): boolean {
  if (!sent || !account.signature) return false
  const isYoung = head - account.channel.openBlock <= YOUNG_BLOCKS
  return refusal === 'channel-pending' || (refusal === 'channel-not-found' && isYoung)
}

/** Loads the page again by itself, a bounded number of times; then when asked. */
export async function waitForServer(
  stage: Stage,
  sent: Sent,
  { head }: View,
  { channel }: ChannelAccount,
): Promise<void> {
  const again = () => {
    rememberSent({ ...sent, tries: sent.tries + 1 })
    void leave()
  }
  const blocks = `${head - channel.openBlock + 1n}`
  if (sent.tries >= MOST_TRIES) {
    stage.show(
      { kind: 'bad', words: 'The server still does not take the deposit. Your payment is signed and not used.' },
      paragraph(`The deposit has been on the chain for ${blocks} blocks. Ask the seller, or try again later.`),
      buttons(button('Try again', 'main', again)),
    )
    return
  }
  stage.wait(`The server waits until your deposit is deep enough in the chain. So far: block ${blocks}.`)
  await pause(Math.min(500 * (sent.tries + 1), LONGEST_MS))
  again()
}

/** What the refusal of the last payment means for the next. */
export function refusalNotice({ refusal }: Told, sent: Sent | undefined): Notice | undefined {
  switch (refusal) {
    case 'channel-not-found':
      return sent && { kind: 'bad', words: 'The server does not accept this channel. Close it, and open a new one.' }
    case 'invalid-signature':
      return { kind: 'bad', words: 'The server did not accept the signature of the last payment.' }
    case 'channel-pending':
      return { kind: 'plain', words: 'The server waits until your deposit is deeper in the chain.' }
    default:
      return undefined
  }
}

/** Milliseconds in which a second purchase of the same page may be a mistake. */
const JUST_NOW_MS = 30_000

/** Somebody loads a page again, or a server takes money and gives nothing: either way the person should know. */
export function justPaid(sent: Sent | undefined, words: (price: bigint) => string): Notice | undefined {
  if (sent?.url !== location.href || Date.now() - sent.atMs > JUST_NOW_MS) return undefined
  if (sent.blind) return { kind: 'plain', words: SHOWN }
  return {
    kind: 'plain',
    words: `A moment ago you paid ${words(sent.price)} for this page. Paying again buys it once more.`,
  }
}

export function noChannelKind(): HTMLElement[] {
  return [
    element('h2', {}, 'This cannot be paid here'),
    paragraph(
      'On this network there is no payment contract for this token at the address that the seller names. Nothing was signed or sent.',
    ),
    buttons(button('Look again', 'main', () => void leave())),
  ]
}
