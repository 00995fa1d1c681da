/**
 * The bytes in docs/reference/http.md are real: made here, from the keys of
 * `test/vectors/payment.json`, and compared with the page line by line.
 */
import { describe, expect, it } from 'vitest'
import { channelKey, type Channel, type Voucher } from '../../src/channel/channel.ts'
import { charge } from '../../src/channel/ledger.ts'
import type { Offer } from '../../src/channel/messages.ts'
import type { HeaderLines } from '../../src/dialect/dialect.ts'
import { PaymentRequiredError } from '../../src/base/errors.ts'
import { recoverAddress, sign } from '../../src/base/secp256k1.ts'
import { payment, session } from '../../src/rails.ts'
import { problem } from '../../src/receiver/answer.ts'
import { blocksOf } from './pages.ts'
import { read } from './sources.ts'

const page = 'docs/reference/http.md'
const vectors = JSON.parse(read('test/vectors/payment.json')) as {
  inputs: Record<'payerKey' | 'payer' | 'payee' | 'token' | 'escrow' | 'salt', `0x${string}`> & { chainId: number }
  channelId: { signerZero: `0x${string}` }
  vouchers: { cumulativeAmount: string; signature: `0x${string}` }[]
}
const { inputs } = vectors
const lower = (address: `0x${string}`) => address.toLowerCase() as `0x${string}`

const dialect = payment({ realm: 'api.example.com', secrets: ['a secret for the documentation'] })
const at = { chainId: inputs.chainId, address: lower(inputs.escrow) }
const offer: Offer = {
  price: 250_000n,
  token: lower(inputs.token),
  receiver: lower(inputs.payee),
  chainId: inputs.chainId,
  escrow: at.address,
  deposit: 25_000_000n,
  expiresAtMs: Date.parse('2026-07-01T12:05:00Z'),
  resource: 'GET /weather',
}
const identity = {
  sender: lower(inputs.payer),
  receiver: offer.receiver,
  token: offer.token,
  signer: lower(inputs.payer),
  terms: { salt: inputs.salt },
}
const id = session.channelId(identity, at)
const voucher: Voucher = {
  cumulativeAmount: 250_000n,
  signature: sign(session.digester(at)({ ...identity, id }, 250_000n), inputs.payerKey),
}
const opened: Channel = {
  ...identity,
  key: channelKey(at.chainId, at.address, id),
  id,
  chainId: at.chainId,
  escrow: at.address,
  status: 'open',
  deposit: 25_000_000n,
  settled: 0n,
  block: 1n,
  charged: 0n,
}

const offered = dialect.writeOffer(offer)
const [understood] = dialect.readOffers(headersOf(offered), at.chainId)
const paid = dialect.writePayment(understood!, { channelId: id, voucher })
const charged = charge(opened, voucher, offer.price, dialect.due)
const receipt = dialect.writeReceipt({
  channelId: id,
  chainId: at.chainId,
  sender: identity.sender,
  receiver: offer.receiver,
  token: offer.token,
  escrow: at.address,
  atMs: Date.parse('2026-07-01T12:00:00Z'),
  price: offer.price,
  charged: charged.charged,
  authorized: voucher.cumulativeAmount,
  deposit: charged.deposit,
  settled: 0n,
  offer: understood!,
})
const { price, token, receiver, escrow, chainId } = offer
const offers = [{ protocol: dialect.name, price: `${price}`, token, receiver, escrow, chainId }]
const refused = problem(new PaymentRequiredError(price), dialect.refusals['payment-required'], [], { offers })

describe('the example', () => {
  it('has the channel and the signature of the vectors', () => {
    expect(id).toBe(vectors.channelId.signerZero)
    expect(voucher.signature).toBe(
      vectors.vouchers.find(({ cumulativeAmount }) => cumulativeAmount === '250000')?.signature,
    )
    expect(recoverAddress(session.digester(at)({ ...identity, id }, 250_000n), voucher.signature)).toBe(identity.sender)
  })

  it.each([
    ['the offer', offered],
    ['the payment', paid],
    ['the receipt', receipt],
  ])('shows %s as it is on the wire', (_what, lines) => {
    const shown = blocksOf(page)
      .filter(({ language }) => language === 'http')
      .flatMap((block) => block.lines)
    for (const [name, value] of lines) expect(shown).toContain(`${name}: ${value}`)
  })

  it.each([
    ['the request in the offer', decoded(/request="([^"]*)"/, offered)],
    ['the resource in the offer', decoded(/opaque="([^"]*)"/, offered)],
    ['the payment', decoded(/^Payment (.*)$/, paid)],
    ['the receipt', decoded(/^(.*)$/, receipt)],
    ['the problem', JSON.parse(String(refused.body))],
  ])('shows %s decoded', (_what, value) => {
    const shown = blocksOf(page)
      .filter(({ language }) => language === 'json')
      .map(({ lines }) => JSON.parse(lines.join('\n')) as unknown)
    expect(shown).toContainEqual(value)
  })
})

function headersOf(lines: HeaderLines): Headers {
  return new Headers(lines.map(([name, value]): [string, string] => [name, value]))
}

function decoded(pattern: RegExp, [line]: HeaderLines): unknown {
  const [, encoded = ''] = pattern.exec(line?.[1] ?? '') ?? []
  return JSON.parse(Buffer.from(encoded, 'base64url').toString())
}
