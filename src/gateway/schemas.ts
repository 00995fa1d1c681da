/** What the answers of the gateway are made of, as JSON Schemas. */
import type { Value } from './json.ts'

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const orNull = (schema: Value, description: string) => ({ description, oneOf: [schema, { type: 'null' }] })
const integer = { type: 'integer' }
const text = { type: 'string' }
const hidden = 'null for whoever has not proven to be the sender or an administrator'

/** Every member is always there. */
function record(description: string, properties: { readonly [name: string]: Value }) {
  return { description, type: 'object', required: Object.keys(properties), properties }
}

function listOf(description: string, items: Value) {
  return { description, type: 'array', items }
}

export const schemas = {
  Address: { description: 'An address.', type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' },
  Amount: { description: 'Base units of the token.', type: 'integer', minimum: 0 },
  Word: { description: 'A word that says that it was done.', type: 'string' },
  Document: { description: 'This document.', type: 'object' },
  Token: record('A token that stands for the user and the password.', { token: text }),
  Balance: {
    description: 'A cumulative amount, in digits.',
    type: 'object',
    required: ['balance'],
    properties: { balance: { oneOf: [ref('Amount'), { type: 'string', pattern: '^(0|[1-9][0-9]*)$' }] } },
  },
  Statistics: record('Sums over the channels that have not ended.', {
    balance_sum: orNull(ref('Amount'), 'null but for administrators'),
    deposit_sum: ref('Amount'),
    open_channels: integer,
    pending_channels: integer,
    unique_senders: integer,
    liquid_balance: orNull(ref('Amount'), 'null when the chain cannot be seen'),
    token_address: ref('Address'),
    contract_address: ref('Address'),
    receiver_address: ref('Address'),
    manager_abi: listOf('The interface of the contract.', { type: 'object' }),
    token_abi: listOf('The interface of the token.', { type: 'object' }),
    sync_block: integer,
  }),
  Senders: listOf(
    'Senders with the blocks of their channels.',
    record('One sender.', { sender_address: ref('Address'), blocks: listOf('Opening blocks.', integer) }),
  ),
  Summaries: listOf(
    'Channels of one sender.',
    record('One channel.', {
      sender_address: ref('Address'),
      open_block: integer,
      state: { type: 'string', enum: ['open', 'closed'] },
      deposit: ref('Amount'),
      balance: orNull(ref('Amount'), hidden),
    }),
  ),
  Channel: record('One channel.', {
    receiver: ref('Address'),
    sender: ref('Address'),
    deposit: ref('Amount'),
    open_block_number: integer,
    balance: orNull(ref('Amount'), hidden),
    state: { description: '0: open. 1: closed.', type: 'integer', enum: [0, 1] },
    last_signature: orNull(text, `${hidden}, and before the first payment`),
    settle_timeout: orNull(integer, '-1 before the sender asked to close; null where it is not known'),
    ctime: orNull(integer, 'not kept'),
    mtime: orNull(integer, 'not kept'),
    confirmed: { type: 'boolean' },
    unconfirmed_topups: { type: 'object' },
    unconfirmed_deposit: orNull(ref('Amount'), 'the deposit once all is deep enough that was seen'),
    status: { type: 'string', enum: ['pending', 'open', 'closing', 'closed'] },
    settled: ref('Amount'),
    charged: orNull(ref('Amount'), hidden),
    close_agreed: orNull(ref('Amount'), `${hidden}, and as long as no close is agreed`),
  }),
  CloseSignature: record('The consent of the receiver.', { close_signature: text }),
  Records: listOf(
    'Every channel of every rail.',
    record('One channel.', {
      channel: text,
      protocol: text,
      sender_address: ref('Address'),
      open_block: orNull(integer, 'null where channels are not named by a block'),
      status: { type: 'string', enum: ['open', 'closing', 'closed'] },
      deposit: ref('Amount'),
      balance: ref('Amount'),
      charged: ref('Amount'),
      settled: ref('Amount'),
      close_agreed: orNull(ref('Amount'), 'null as long as no close is agreed'),
      last_signature: orNull(text, 'null before the first payment'),
    }),
  ),
  Closed: record('The transaction, mined.', { transaction: text, block: integer, balance: ref('Amount') }),
  Closings: listOf('What became of each channel.', {
    description: 'One channel. `detail` says why it was not closed.',
    type: 'object',
    required: ['channel', 'sender_address', 'open_block', 'outcome'],
    properties: {
      channel: text,
      sender_address: ref('Address'),
      open_block: orNull(integer, 'null where channels are not named by a block'),
      outcome: { type: 'string', enum: ['closed', 'no-voucher', 'failed'] },
      transaction: text,
      block: integer,
      balance: ref('Amount'),
      detail: text,
    },
  }),
  Settlements: listOf('What became of each channel.', {
    description: 'One channel. `detail` says why it was not settled.',
    type: 'object',
    required: ['channel', 'amount', 'transaction', 'ok'],
    properties: {
      channel: text,
      amount: ref('Amount'),
      transaction: orNull(text, 'null where none was sent'),
      ok: { description: 'Whether it was settled.', type: 'boolean' },
      detail: text,
    },
  }),
  Problem: {
    description: 'What is wrong and what to do, after RFC 9457.',
    type: 'object',
    required: ['type', 'title', 'status', 'detail'],
    properties: { type: text, title: text, status: integer, detail: text, code: text },
  },
} as const satisfies Record<string, { readonly description: string; readonly [keyword: string]: Value }>

export type SchemaName = Exclude<keyof typeof schemas, 'Address' | 'Amount' | 'Balance' | 'Problem'>
