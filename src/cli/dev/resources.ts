/** What `farthing dev` sells: one of each kind. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Address } from 'viem'
import type { Routes } from '../../proxy/proxy.ts'
import { coin } from './image.ts'
import { indexHtml, indexText, type Shop } from './index-page.ts'

/** Path, price and what it is; a path with a name in it stands for many. */
export const goods = [
  { path: '/text', price: '2', what: 'a text', example: '/text' },
  { path: '/json', price: '3', what: 'JSON', example: '/json' },
  { path: '/image', price: '10', what: 'a picture (PNG)', example: '/image' },
  { path: '/echofix/:text', price: '5', what: 'the text of your choice', example: '/echofix/foo' },
  { path: '/echodyn/:n', price: 'n', what: 'a number that costs what it is worth', example: '/echodyn/7' },
] as const

/** Numbers that can be bought: whole, from 1 up. The price is the number. */
const NUMBER = ':n(^[1-9]\\d{0,11}$)'

export function sampleRoutes(token: Address): Routes {
  return {
    'GET /': { price: { free: true }, run: (request, response) => sendIndex(request, response, token) },
    'GET /text': { price: 2n, text: 'A farthing was a quarter of a penny, from the thirteenth century to 1960.\n' },
    'GET /json': { price: 3n, json: { coin: 'farthing', worth: '1/4 penny', bird: 'wren', minted: [1937, 1956] } },
    'GET /image': { price: 10n, run: sendImage },
    'GET /echofix/:text': { price: 5n, text: ({ params }) => params['text'] ?? '' },
    [`GET /echodyn/${NUMBER}`]: {
      price: ({ params }) => BigInt(params['n'] ?? 0),
      text: ({ params }) => params['n'] ?? '',
    },
    'GET /echodyn/*': { price: { free: true }, run: (_request, response) => sendNotANumber(response) },
  }
}

function sendIndex(request: IncomingMessage, response: ServerResponse, token: Address): void {
  const { localAddress, localPort } = request.socket
  const shop: Shop = { url: `http://${localAddress ?? '127.0.0.1'}:${localPort ?? 0}`, token, goods }
  const html = request.headers.accept?.includes('text/html') === true
  response.setHeader('Vary', 'Accept')
  response.setHeader('Content-Type', `text/${html ? 'html' : 'plain'}; charset=utf-8`)
  response.end(html ? indexHtml(shop) : indexText(shop))
}

function sendImage(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', 'image/png')
  response.setHeader('Content-Length', coin.length)
  response.end(coin)
}

function sendNotANumber(response: ServerResponse): void {
  const detail = 'This sells whole numbers from 1 to 999999999999, for as many base units. Nothing was charged.'
  response.writeHead(400, { 'Content-Type': 'application/problem+json' })
  response.end(`${JSON.stringify({ type: 'about:blank', title: 'Bad Request', status: 400, detail }, null, 2)}\n`)
}
