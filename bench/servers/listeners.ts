/** The same two routes on every framework: one is sold, the other is free. */
import { createServer, type Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { paid as paidByExpress } from '../../src/adapter/express.ts'
import { paid as paidByHono } from '../../src/adapter/hono.ts'
import { paid, type NodeHandler } from '../../src/adapter/node.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { BODY, PRICE } from '../world.ts'

export type AdapterName = 'node' | 'express' | 'hono'

export const PAID = '/paid'
export const FREE = '/free'

const free = { free: true } as const

export function listenerOf(adapter: AdapterName, receiver: Receiver): Server {
  if (adapter === 'express') return expressServer(receiver)
  return adapter === 'hono' ? honoServer(receiver) : nodeServer(receiver)
}

function nodeServer(receiver: Receiver): Server {
  const handler: NodeHandler = (_request, response) => response.end(BODY)
  const sold = paid(receiver, PRICE, handler)
  const open = paid(receiver, free, handler)
  return createServer((request, response) => (request.url === FREE ? open : sold)(request, response))
}

function expressServer(receiver: Receiver): Server {
  const handler: express.RequestHandler = (_request, response) => {
    response.send(BODY)
  }
  const app = express()
  app.get(PAID, paidByExpress(receiver, PRICE), handler)
  app.get(FREE, paidByExpress(receiver, free), handler)
  return createServer(app)
}

function honoServer(receiver: Receiver): Server {
  const app = new Hono()
  app.get(PAID, paidByHono(receiver, PRICE), (c) => c.body(BODY))
  app.get(FREE, paidByHono(receiver, free), (c) => c.body(BODY))
  const server = createAdaptorServer({ fetch: app.fetch })
  if ('stream' in server) throw new Error('this is not HTTP/1.1')
  return server as Server
}
