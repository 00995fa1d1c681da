/** The gateway described by OpenAPI 3.1, made of the table that it is served from. */
import type { Value } from './json.ts'
import type { Access, Described, Route } from './route.ts'
import { schemas } from './schemas.ts'

/** None is asked for by its name: a route that shows more to some is served to all. */
const securities: Record<Access, readonly Value[]> = {
  anyone: [],
  'anyone, and administrators': [{}, { administrator: [] }],
  'anyone, and senders': [{}, { sender: [] }, { administrator: [] }],
  administrator: [{ administrator: [] }],
}

type Row = Described & Pick<Route, 'method' | 'path'>

export function openApi(rows: readonly Row[]): Value {
  const paths: Record<string, Record<string, Value>> = {}
  for (const row of rows) paths[row.path] = { ...paths[row.path], [row.method.toLowerCase()]: operationOf(row) }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Receiver of payments',
      version: '1',
      summary: 'Channels, closing, statistics, administration.',
      description: ABOUT,
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      responses: { Refusal: { description: 'What is wrong, and the fix.', content: problems } },
      securitySchemes: {
        administrator: { type: 'http', scheme: 'basic', description: 'A name and a password, or a token and nothing.' },
        sender: { type: 'apiKey', in: 'header', name: 'RDN-Sender-Proof', description: PROOF },
      },
    },
  }
}

const ABOUT =
  'Amounts are base units of the token. They are JSON numbers with all their digits: read them with a reader that keeps ' +
  'them. HEAD is served where GET is, and OPTIONS says the methods of a path.'

const PROOF =
  'The end of its validity in seconds since 1970, a space, and an EIP-712 signature of the question by the sender.'

const problems = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }

function operationOf({ id, summary, access, answer, refusals = [], takes, path }: Row): Value {
  const parameters = [...pathParameters(path), ...(takes === undefined ? [] : [queryParameters[takes]])]
  const statuses = [...new Set([...refusals, ...(access === 'anyone' ? [] : [401, 403]), 429])].sort()
  const refused = Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/Refusal' }]))
  return {
    operationId: id,
    summary,
    security: securities[access],
    ...(parameters.length > 0 && { parameters }),
    ...(takes === 'balance' && { requestBody: BALANCE_BODY }),
    responses: { ...answerOf(answer), ...refused },
  }
}

function answerOf(answer: Described['answer']): { readonly [status: string]: Value } {
  if (answer === 'redirect') {
    const Location = { required: true, schema: { type: 'string' } }
    return { 308: { description: 'It is at the address with a slash at its end.', headers: { Location } } }
  }
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${answer}` } } }
  return { 200: { description: schemas[answer].description, content } }
}

function pathParameters(path: string): Value[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: name === 'sender' ? 'The address of the sender.' : 'The block in which the channel was opened.',
    schema: name === 'sender' ? { $ref: '#/components/schemas/Address' } : { type: 'integer', minimum: 0 },
  }))
}

const queryParameters = {
  status: {
    name: 'status',
    in: 'query',
    description: 'Which channels. `opened` is another word for `open`.',
    schema: { type: 'string', enum: ['open', 'opened', 'closed', 'all'], default: 'open' },
  },
  balance: {
    name: 'balance',
    in: 'query',
    description: 'The balance to close at, where the body does not say it.',
    schema: { $ref: '#/components/schemas/Amount' },
  },
} as const

const BALANCE_BODY = {
  required: false,
  content: {
    'application/json': { schema: { $ref: '#/components/schemas/Balance' } },
    'application/x-www-form-urlencoded': { schema: { $ref: '#/components/schemas/Balance' } },
  },
} as const
