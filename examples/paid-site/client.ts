/** Reads the first page of a site and follows its links, with one fetch for what is free and what costs something. */
import console from 'node:console'
import { createChain } from 'farthing/chain'
import { payment } from 'farthing/rails'
import { paying } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [url = 'http://127.0.0.1:4103'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const fetch = await paying({
  account,
  chain: createChain(node),
  store: sqlite(file('site-client')),
  budget: { perRequest: 10n, deposit: 1_000n, perOrigin: 500n },
  escrows: [escrow],
  tokens: [token],
})

const first = await read('/')
const links = [...first.matchAll(/href="([^"]+)"/g)].map(([, path = '/']) => path)
for (const path of [...links, '/about', '/wiki/Nothing']) await read(path)

async function read(path: string): Promise<string> {
  const response = await fetch(`${url}${path}`)
  const page = await response.text()
  const charged = payment().readReceipt(response.headers)?.charged
  const [, title = ''] = /<h1>(.*)<\/h1>/.exec(page) ?? []
  console.log(`${path}  ${title}  ${charged === undefined ? 'free' : `paid so far: ${charged}`}`)
  return page
}
