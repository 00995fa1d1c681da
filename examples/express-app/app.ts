/** An Express application as there are many. What was added to sell two of its routes is marked. */
import console from 'node:console'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { paid } from 'farthing/express' // added
import { receiver } from './receiver.ts' // added

const notes = ['Buy bread.', 'Feed the wren.', 'Count the farthings.']

const app = express()

app.get('/', (_request, response) => {
  response.type('text').send('Notes. See /notes, /notes/1 and /search.\n')
})

app.get('/notes', (_request, response) => {
  response.json({ notes: notes.length })
})

// paid(…) was added
app.get('/notes/:number', paid(receiver, 10n), (request, response) => {
  const note = notes[Number(request.params.number) - 1]
  if (note === undefined) response.status(404).json({ error: 'There is no such note.' })
  else response.json({ note })
})

// paid(…) was added, before the parser of the body
app.post('/search', paid(receiver, 25n, { repeatable: true }), express.text(), (request, response) => {
  const words = String(request.body).toLowerCase()
  response.json({ found: notes.filter((note) => note.toLowerCase().includes(words)) })
})

const server = app.listen(Number(process.env.PORT ?? 4107), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`Selling at http://127.0.0.1:${port}`)
})
