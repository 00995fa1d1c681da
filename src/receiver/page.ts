/** The answer to a browser that has not paid: the same headers, and a page that a person can read. */
import type { HeaderLines } from '../dialect/dialect.ts'
import type { Answer } from './answer.ts'

/** What a payment page is made of. */
export type PageFacts = {
  readonly status: number
  /** Path and query that were asked for, as they came: untrusted. */
  readonly target: string
  readonly offers: readonly PageOffer[]
  /** Why it was not served, and what to do. */
  readonly message: string
}

/** A page of one's own, as HTML, and its Content-Security-Policy. */
export type Page = (facts: PageFacts) => { readonly html: string; readonly policy: string }

export type PageOffer = {
  readonly protocol: string
  /** Base units. */
  readonly price: string
  readonly token: string
  readonly receiver: string
  readonly escrow: string
  readonly chainId: number
}

/** The answer for a browser: the page, and all that a program would have got. */
export function pageAnswer(page: Page, facts: PageFacts, answer: Answer, cookies: HeaderLines): Answer {
  const { html, policy } = page(facts)
  const rest = answer.headers.filter(([name]) => name !== 'Content-Type')
  return {
    status: answer.status,
    headers: [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Content-Security-Policy', policy],
      ['X-Content-Type-Options', 'nosniff'],
      ...rest,
      ...cookies,
    ],
    body: html,
  }
}

/** No script, no picture, nothing from elsewhere, and not inside another site's frame. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page that is shown unless another one is set: in words, without a script. */
export const plainPage: Page = ({ target, offers, message }) => ({
  html: html(target, message, offers[0]?.price ?? '', offers),
  policy,
})

function html(target: string, message: string, price: string, offers: readonly PageOffer[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Payment required</title>
<style>${style}</style>
<main>
<p class="status">402 Payment Required</p>
<h1>This page costs ${escaped(price)} base units of a token</h1>
<p>${escaped(message)}</p>
<h2>Pay from a terminal</h2>
<pre>npx farthing get <i>https://this-server</i>${escaped(target)}</pre>
<p>It opens a payment channel once, pays this request from it, and prints what you asked for. Later requests on the same
channel need no transaction.</p>
<h2>What is accepted</h2>
<table>
<tr><th>Protocol<th>Price<th>Token<th>Chain<th>Escrow<th>Receiver</tr>
${offers.map(row).join('\n')}
</table>
</main>
</html>
`
}

function row({ protocol, price, token, chainId, escrow, receiver }: PageOffer): string {
  const cells = [protocol, price, token, `${chainId}`, escrow, receiver]
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}`).join('')}</tr>`
}

/** For text between tags and in quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#fafaf7;color:#1c1c1a}
main{max-width:46rem;margin:4rem auto;padding:0 1.25rem}
.status{color:#8a5a00;font-weight:600;margin:0}
h1{font-size:1.6rem;margin:.25rem 0 1rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
pre{background:#1c1c1a;color:#f4f4ee;padding:1rem;border-radius:.5rem;overflow:auto}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}
td{font-family:ui-monospace,monospace;font-size:.85rem}
@media(prefers-color-scheme:dark){body{background:#161614;color:#eee}td,th{border-color:#333}.status{color:#e0a84a}}
`
