/** A small web site that knows nothing of payments. It stands for any that you have. */
import console from 'node:console'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const pages: Readonly<Record<string, string>> = {
  '/': '<h1>A small encyclopedia</h1> <a href="/wiki/Farthing">Farthing</a> <a href="/wiki/Wren">Wren</a>',
  '/about': '<h1>About</h1> Written by nobody in particular.',
  '/wiki/Farthing': '<h1>Farthing</h1> A quarter of a penny, until 1960. It has a <a href="/wiki/Wren">wren</a> on it.',
  '/wiki/Wren': '<h1>Wren</h1> A small bird with a loud voice.',
}

const site = createServer((request, response) => {
  const page = pages[request.url ?? '/']
  response.writeHead(page ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' })
  response.end(page ?? '<h1>There is no such page</h1>')
})
site.listen(Number(process.env.PORT ?? 4113), '127.0.0.1', () => {
  const { port } = site.address() as AddressInfo
  console.log(`The site is at http://127.0.0.1:${port}`)
})
