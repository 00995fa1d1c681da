/**
 * A stranger: the payment page of µRaiden 0.2 in a browser. The page is in
 * JavaScript and writes its payment into cookies, then loads the page again.
 * Signatures are those of test/vectors/uraiden-conversations.json.
 */
import type { Address, Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { openConnection, type Answer, type Exchange } from './exchange.ts'
import { balanceSigner, signBalance } from './signing.ts'

/** What Chromium asks for when a person opens a page. */
export const PAGE_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'

export type BrowserOptions = {
  /** The sender's key. */
  readonly key: Hex
  readonly contract: Address
  /** The channel that the page found on chain: the receiver, and the block in which it was opened. */
  readonly channel: { readonly receiver: Address; readonly block: number }
}

export type Browser = {
  readonly address: Address
  /** Session cookies, as the server and the page wrote them. */
  readonly cookies: ReadonlyMap<string, string>
  readonly exchanges: readonly Exchange[]
  /** One load of a page, with all cookies of the site. */
  visit(url: string): Promise<Answer>
  /** Writes the four cookies of a payment of `balance`, cumulative, in base units. */
  sign(balance: bigint): Promise<void>
  /** Opens the page, presses "Sign" once, and loads it again. */
  buy(url: string): Promise<Answer>
  /** Asks the server for a closing signature, as the page did: JSON with a number. */
  askToClose(origin: string, balance: bigint): Promise<Answer>
  end(): void
}

export function createBrowser({ key, contract, channel }: BrowserOptions): Browser {
  const { address } = privateKeyToAccount(key)
  const connection = openConnection()
  const cookies = new Map<string, string>()
  const visit = async (url: string) => {
    const answer = await connection.send('GET', url, pageLines(url, cookies))
    for (const [name, value] of answer.lines) if (name.toLowerCase() === 'set-cookie') keep(cookies, value)
    return answer
  }
  const sign = async (balance: bigint) => {
    cookies.set('RDN-Sender-Address', address)
    cookies.set('RDN-Open-Block', `${channel.block}`)
    cookies.set('RDN-Sender-Balance', `${balance}`)
    cookies.set('RDN-Balance-Signature', await signBalance(key, { ...channel, balance, contract }))
  }
  /** The balance that the server knows, if it shows our signature of it. */
  const known = async (answer: Answer) => {
    const claimed = cookies.get('RDN-Sender-Balance')
    const signature = cookies.get('RDN-Balance-Signature')
    if (answer.status !== 402 || claimed === undefined || signature === undefined) return undefined
    const balance = BigInt(claimed)
    const signer = await balanceSigner({ ...channel, balance, contract }, signature as Hex)
    return signer === address ? balance : undefined
  }
  return {
    address,
    cookies,
    exchanges: connection.exchanges,
    visit,
    sign,
    async buy(url) {
      let answer = await visit(url)
      if (answer.status !== 402) return answer
      let balance = await known(answer)
      if (balance === undefined) {
        // A payment of nothing: the server answers it with the balance that it knows.
        await sign(0n)
        answer = await visit(url)
        balance = (await known(answer)) ?? 0n
      }
      await sign(balance + BigInt(cookies.get('RDN-Price') ?? '0'))
      return visit(url)
    },
    askToClose(origin, balance) {
      const body = JSON.stringify({ balance: Number(balance) })
      const lines = [
        ['Host', new URL(origin).host],
        ['Connection', 'keep-alive'],
        ['Content-Length', `${Buffer.byteLength(body)}`],
        ['Accept', '*/*'],
        ['Content-Type', 'application/json'],
        ...cookieLines(cookies),
      ] as const
      return connection.send('DELETE', `${origin}/api/1/channels/${address}/${channel.block}`, lines, body)
    },
    end: () => connection.close(),
  }
}

function pageLines(url: string, cookies: ReadonlyMap<string, string>) {
  return [
    ['Host', new URL(url).host],
    ['Connection', 'keep-alive'],
    ['Upgrade-Insecure-Requests', '1'],
    [
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/66.0.3359.139 Safari/537.36',
    ],
    ['Accept', PAGE_ACCEPT],
    ['Accept-Encoding', 'gzip, deflate'],
    ['Accept-Language', 'en-US,en;q=0.9'],
    ...cookieLines(cookies),
  ] as const
}

function cookieLines(cookies: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const pairs = [...cookies].map(([name, value]) => `${name}=${value}`)
  return pairs.length > 0 ? [['Cookie', pairs.join('; ')]] : []
}

/** Set-Cookie without its attributes; one that is over is dropped. */
function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
  const isOver = attributes.some((one) => /^max-age=0$/i.test(one) || /^expires=.*1970/i.test(one))
  if (isOver) cookies.delete(name)
  else cookies.set(name, value)
}

/** The cookies of one answer, by name. */
export function cookiesOf(answer: Answer): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of answer.lines) if (name.toLowerCase() === 'set-cookie') keep(found, value)
  return found
}
