/** The free page of `farthing dev`: what there is, what it costs, how to buy. */
import type { Address } from 'viem'

type Good = { readonly path: string; readonly price: string; readonly what: string; readonly example: string }
export type Shop = { readonly url: string; readonly token: Address; readonly goods: readonly Good[] }

export function indexText({ url, token, goods }: Shop): string {
  const width = Math.max(...goods.map(({ path }) => path.length))
  const rows = goods.map(({ path, price, what }) => `  ${path.padEnd(width)}  ${price.padStart(3)}  ${what}`)
  return `This is \`farthing dev\`: a receiver on a chain of your own. Everything here costs a little, in base units of the
token ${token}.

${rows.join('\n')}

See what a program sees that has not paid:   curl -i ${url}/echofix/foo
Buy it:                                      npx farthing get ${url}/echofix/foo
`
}

export function indexHtml({ url, token, goods }: Shop): string {
  const rows = goods.map(
    ({ path, price, what, example }) =>
      `<tr><td><a href="${example}"><code>${path}</code></a></td><td class="price">${price}</td><td>${what}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>farthing dev</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
  td, th { padding: .2rem 1rem .2rem 0; text-align: left } .price { text-align: right }
  pre { background: #8881; padding: .6rem 1rem; overflow-x: auto } code { overflow-wrap: anywhere }
  :root { color-scheme: light dark }
</style>
<h1>farthing dev</h1>
<p>A receiver on a chain of your own. Everything here costs a little, in base units of the token <code>${token}</code>.</p>
<table>
<tr><th>address</th><th class="price">price</th><th>what it is</th></tr>
${rows.join('\n')}
</table>
<p>A browser is asked to pay and cannot. A program can:</p>
<pre>npx farthing get ${url}/echofix/foo</pre>
<p>What it sees before it has paid:</p>
<pre>curl -i ${url}/echofix/foo</pre>
</html>
`
}
