/**
 * A payment page on which a person pays with the wallet of a browser: `farthing/paywall`.
 *
 * It is for the rail of `rdn(…)`, whose payments are cookies. The page is all
 * from this server: no font, no script and no picture from elsewhere, so nobody
 * else can change what a person is asked to sign. Without a script it says in
 * words what a program needs.
 *
 * @see docs/how-to/let-people-pay-in-a-browser.md
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigError } from '../base/faults.ts'
import { escaped, type Page, type PageOffer } from '../receiver/page.ts'

export type PaywallOptions = {
  /** Where its script and its style are served. Default: `/.farthing/paywall`. */
  readonly path?: string
  /** Origins that the page may connect to beside its own, for wallets that need one. Default: none. */
  readonly connect?: readonly string[]
}

export type Paywall = {
  /** For `createReceiver({ page })`. */
  readonly page: Page
  /** Serves what the page loads. Ask it before the routes. */
  readonly mount: {
    readonly path: string
    /** Answers if the request is for one of its files; otherwise resolves to false and leaves it. */
    serve(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  }
}

type File = { readonly type: string; readonly bytes: Buffer; readonly version: string }

/** @throws {ConfigError} naming the option that is wrong, or if the package was not built */
export function paywall({ path = '/.farthing/paywall', connect = [] }: PaywallOptions = {}): Paywall {
  if (!/^(\/[\w.~-]+)+$/.test(path))
    throw new ConfigError('path', 'use a path such as /.farthing/paywall, without a slash at its end')
  const files = new Map([
    [`${path}/paywall.js`, fileOf('paywall.js', 'text/javascript; charset=utf-8')],
    [`${path}/paywall.css`, fileOf('paywall.css', 'text/css; charset=utf-8')],
  ])
  const [script = '', style = ''] = [...files].map(([name, { version }]) => `${name}?${version}`)
  const policy = policyOf(connect.map(originOf))
  return {
    page: (facts) => ({ html: html(facts, script, style), policy }),
    mount: {
      path,
      serve: (request, response) => {
        const [name = '', version] = (request.url ?? '/').split('?', 2)
        const file = files.get(name)
        if (file) serveFile(request, response, file, version)
        return Promise.resolve(file !== undefined)
      },
    },
  }
}

function serveFile({ method }: IncomingMessage, response: ServerResponse, file: File, version: string | undefined) {
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    return
  }
  response.writeHead(200, {
    'Content-Type': file.type,
    'Content-Length': file.bytes.length,
    'Cache-Control': version === file.version ? 'public, max-age=31536000, immutable' : 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  })
  response.end(method === 'HEAD' ? undefined : file.bytes)
}

/** `npm run build` makes the files; they are found from the sources too. */
function fileOf(name: string, type: string): File {
  try {
    const bytes = readFileSync(new URL(`../../dist/web/${name}`, import.meta.url))
    return { type, bytes, version: createHash('sha256').update(bytes).digest('base64url').slice(0, 16) }
  } catch {
    throw new ConfigError('paywall', `dist/web/${name} cannot be read. Run: npm run build`)
  }
}

function originOf(text: string, index: number): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text
  throw new ConfigError(`connect[${index}]`, 'use an origin, for example https://wallet.example')
}

function policyOf(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    'img-src data:',
    "style-src 'self'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function html({ target, offers, message, status }: Parameters<Page>[0], script: string, style: string): string {
  const offer = offers.find(({ protocol }) => protocol === 'rdn')
  const price = offer?.price ?? offers[0]?.price ?? ''
  const title = `This page costs ${price} base units of a token`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${escaped(style)}">
<main>
<p class="status">${status === 402 ? '402 Payment Required' : escaped(`${status}`)}</p>
<h1>${escaped(title)}</h1>
<p class="target"><code>${escaped(target)}</code></p>
${offer ? stage(offer, message) : `<p>${escaped(message)}</p>`}
<details open>
<summary>What is accepted, and paying from a terminal</summary>
<pre>npx farthing get <i>https://this-server</i>${escaped(target)}</pre>
<p>It opens a payment channel once, pays this request from it, and prints what you asked for. Later requests on the same
channel need no transaction.</p>
${offers.map(described).join('\n')}
</details>
</main>
${offer ? `<script type="module" src="${escaped(script)}"></script>` : ''}
</html>
`
}

/** What the script takes the place of. */
function stage(offer: PageOffer, message: string): string {
  const { price, token, receiver, escrow, chainId } = offer
  const data = JSON.stringify({ price, token, receiver, escrow, chainId })
  return `<section id="paywall" data-offer="${escaped(data)}" aria-label="Pay with a wallet">
<p>${escaped(message)}</p>
<p>With JavaScript you can pay here with the wallet of your browser. Without it, pay from a terminal, as said below.</p>
</section>
<p class="small">All of this page comes from this server. Your wallet asks you before anything is signed or sent.</p>`
}

function described({ protocol, price, token, chainId, escrow, receiver }: PageOffer): string {
  const rows = {
    Protocol: protocol,
    Price: `${price} base units`,
    Seller: receiver,
    Token: token,
    Contract: escrow,
    Network: `${chainId}`,
  }
  const cells = Object.entries(rows).map(([name, value]) => `<dt>${name}<dd><code>${escaped(value)}</code>`)
  return `<dl>${cells.join('')}</dl>`
}
