import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToHex } from '../base/encode.ts'
import type { Offer, Payment } from '../channel/messages.ts'
import type { SessionTerms } from '../escrow/session-state.ts'
import type { HeaderLines } from './dialect.ts'
import { challengeId, readChallenges } from './payment-auth.ts'
import { payment } from './payment.ts'

type Http = {
  hmac_input: string
  id: string
  id_with_opaque: string
  opaque_b64url: string
  www_authenticate: string
  authorization: string
  authorization_mppx: string
  receipt: Record<string, unknown>
  payment_receipt: string
}
const { http } = JSON.parse(readFileSync('test/vectors/payment.json', 'utf8')) as { http: Http }
const secret = 'test-vector-secret'
const dialect = payment({ realm: 'api.llm-service.com', secrets: [secret] })
const reader = (lines: HeaderLines) => {
  const headers = new Headers(lines.map(([name, value]): [string, string] => [name, value]))
  return { get: (name: string) => headers.get(name) }
}

describe('the vectors', () => {
  it('of the challenge are read, and their ids are ours', () => {
    const [challenge] = readChallenges(http.www_authenticate)
    expect(challengeId(challenge!, secret)).toBe(http.id)
    expect(challengeId({ ...challenge!, opaque: http.opaque_b64url }, secret)).toBe(http.id_with_opaque)
    expect(dialect.readOffers({ get: () => http.www_authenticate }, 1)).toMatchObject([
      { price: 100n, step: 10_000n, deposit: 5_000_000n, chainId: 196, funding: ['permit2', 'eip3009', 'transaction'] },
    ])
  })

  it.each(['authorization', 'authorization_mppx'] as const)('of the %s are read as a genuine payment', (name) => {
    expect(dialect.readPayment({ get: () => http[name] })).toMatchObject({
      genuine: true,
      channelId: '0xc05151dda88658a30fbdf738fc2023cda49a1aba97b1acf6d475b511d4e751e4',
      voucher: { cumulativeAmount: 250_000n },
      offer: { price: 100n, expiresAtMs: Date.parse('2026-04-01T12:05:00Z') },
    })
  })

  it('of the receipt are read', () => {
    expect(dialect.readReceipt({ get: () => http.payment_receipt })).toMatchObject({
      charged: 237_500n,
      authorized: 250_000n,
    })
  })
})

describe('an offer that came back before', () => {
  const credential = JSON.parse(Buffer.from(http.authorization.replace(/^payment /i, ''), 'base64url').toString()) as {
    challenge: Record<string, string>
  }
  const read = (challenge: Record<string, string>) => {
    const authorization = `Payment ${Buffer.from(JSON.stringify({ ...credential, challenge })).toString('base64url')}`
    return dialect.readPayment({ get: () => authorization })
  }

  it('is known again', () => {
    const first = read(credential.challenge)
    expect(first.genuine).toBe(true)
    expect(read(credential.challenge).offer).toBe(first.offer)
  })

  it.each([
    ['id', (text: string) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`],
    ['realm', () => 'another.example'],
    [
      'request',
      (text: string) =>
        Buffer.from(Buffer.from(text, 'base64url').toString().replace('"100"', '"1"')).toString('base64url'),
    ],
    ['expires', () => '2099-01-01T00:00:00Z'],
    ['opaque', () => 'e30'],
    ['digest', () => 'sha-256=:AAAA:'],
  ])('is not taken with another %s', (name, change) => {
    expect(read(credential.challenge).genuine).toBe(true)
    expect(read({ ...credential.challenge, [name]: change(credential.challenge[name] ?? '') })).toMatchObject({
      genuine: false,
    })
  })
})

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytesToHex)
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex)
const amount = fc.bigInt(0n, 2n ** 128n - 1n)
const offers: fc.Arbitrary<Offer> = fc.record(
  {
    price: fc.bigInt(1n, 2n ** 128n - 1n),
    token: address,
    receiver: address,
    chainId: fc.integer({ min: 1, max: 2 ** 53 - 1 }),
    escrow: address,
    deposit: amount,
    step: amount,
    expiresAtMs: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    resource: fc.string({ maxLength: 200, unit: 'binary' }),
    description: fc.string({ maxLength: 200 }),
    funding: fc.subarray(['transaction', 'eip3009', 'permit2'], { minLength: 1 }),
  },
  { requiredKeys: ['price', 'token', 'receiver', 'chainId', 'escrow'] },
)
const voucher = fc.record({ cumulativeAmount: amount, signature: fc.constant(`0x${'ab'.repeat(65)}` as const) })
const openings = fc
  .record({ channelId: hash, voucher, hash, salt: hash, sender: address, signer: address })
  .filter(({ sender, signer }) => sender !== signer && !/^0x0+$/.test(signer))
  .map(({ channelId, voucher: signed, hash: tx, salt, sender, signer }): Payment<SessionTerms> => ({
    channelId,
    voucher: signed,
    sender,
    signer,
    terms: { salt, authorizedSigner: signer },
    funding: { by: 'transaction', action: 'open', hash: tx },
  }))
const word = fc.bigInt(0n, 2n ** 256n - 1n)
const signature = fc.constant(`0x${'cd'.repeat(65)}` as const)
const authorized = { by: fc.constant('eip3009' as const), validAfter: word, validBefore: word, nonce: hash }
const permitted = { by: fc.constant('permit2' as const), token: address, nonce: word, deadline: word }
const signedOpenings = fc
  .record({
    opening: openings,
    receiver: address,
    deposit: fc.oneof(
      fc.record({ action: fc.constant('open' as const), amount, signature, ...authorized }),
      fc.record({ action: fc.constant('open' as const), amount, signature, ...permitted }),
    ),
  })
  .map(({ opening: { sender, ...opening }, receiver, deposit }): Payment<SessionTerms> => ({
    ...opening,
    sender: sender!,
    ...(deposit.by === 'permit2' && { receiver }),
    funding: { ...deposit, from: sender! },
  }))
const topUp = fc.constant('topUp' as const)
const signedTopUps: fc.Arbitrary<Payment<SessionTerms>> = fc.record({
  channelId: hash,
  funding: fc.oneof(
    fc.record({ action: topUp, from: address, amount, signature, salt: hash, ...authorized }),
    fc.record({ action: topUp, from: address, amount, signature, ...permitted }),
  ),
})
const payments: fc.Arbitrary<Payment<SessionTerms>> = fc.oneof(
  openings,
  signedOpenings,
  signedTopUps,
  fc.record({ channelId: hash, voucher }),
  fc.record({ channelId: hash, voucher, close: fc.constant(true as const) }),
  fc.record({
    channelId: hash,
    funding: fc.record({
      by: fc.constant('transaction' as const),
      action: fc.constant('topUp' as const),
      hash,
      amount,
    }),
  }),
)

describe('what is written is read again', () => {
  it('for every offer', () => {
    fc.assert(
      fc.property(offers, (offer) => {
        const [read] = dialect.readOffers(reader(dialect.writeOffer(offer)), 1)
        expect(read).toMatchObject(offer)
      }),
    )
  })
  it('for several offers in one header, between other schemes', () => {
    const offer: Offer = {
      price: 5n,
      token: `0x${'11'.repeat(20)}`,
      receiver: `0x${'22'.repeat(20)}`,
      chainId: 1,
      escrow: `0x${'33'.repeat(20)}`,
    }
    const [[, line] = ['', '']] = dialect.writeOffer(offer)
    const header = `Bearer realm="a, b", Basic abc==, ${line}, Payment id="broken", ${line}, Negotiate`
    expect(dialect.readOffers({ get: () => header }, 1).map(({ price }) => price)).toEqual([5n, 5n])
  })
  it('for every payment, bound to its offer', () => {
    fc.assert(
      fc.property(offers, payments, (offer, sent) => {
        const [offered] = dialect.readOffers(reader(dialect.writeOffer(offer)), 1)
        expect(dialect.readPayment(reader(dialect.writePayment(offered!, sent)))).toMatchObject({
          ...sent,
          genuine: true,
          offer,
        })
      }),
    )
  })
  it('for every receipt', () => {
    fc.assert(
      fc.property(hash, amount, amount, hash, (channelId, charged, authorized, transaction) => {
        const receipt = {
          channelId,
          charged,
          authorized,
          transaction,
          chainId: 1,
          sender: `0x${'11'.repeat(20)}` as const,
          receiver: `0x${'22'.repeat(20)}` as const,
          token: `0x${'33'.repeat(20)}` as const,
          escrow: `0x${'44'.repeat(20)}` as const,
          atMs: 0,
          price: 1n,
          deposit: 1n,
          settled: 0n,
        }
        expect(dialect.readReceipt(reader(dialect.writeReceipt(receipt)))).toEqual({
          channelId,
          charged,
          authorized,
          transaction,
        })
      }),
    )
  })
})

describe('a payment that contradicts what is signed in it', () => {
  const hex = (byte: string, length: number) => `0x${byte.repeat(length)}`
  const witness = { payee: hex('22', 20), salt: hex('44', 32), authorizedSigner: hex('55', 20) }
  const permit2 = { from: hex('11', 20), permitted: { token: hex('33', 20), amount: '7' }, nonce: '1', deadline: '9' }
  const eip3009 = { from: hex('11', 20), to: hex('66', 20), value: '7', validAfter: '0', validBefore: '9' }
  const common = { channelId: hex('77', 32), signature: hex('ab', 65) }
  const voucher = { cumulativeAmount: '5', voucherSignature: hex('cd', 65) }
  const open = { action: 'open', ...common, ...voucher, salt: hex('44', 32), authorizedSigner: hex('55', 20) }
  const topUp = { action: 'topUp', ...common, additionalDeposit: '7', salt: hex('44', 32) }
  const openPermit2 = { ...open, type: 'permit2', authorization: { ...permit2, witness } }
  const topUpPermit2 = {
    ...topUp,
    type: 'permit2',
    authorization: { ...permit2, witness: { channelId: hex('77', 32) } },
  }
  const topUpEip3009 = { ...topUp, type: 'authorization', authorization: { ...eip3009, nonce: hex('88', 32) } }
  const read = (payload: unknown, source?: string) => {
    const { challenge } = JSON.parse(
      Buffer.from(http.authorization.replace(/^payment /i, ''), 'base64url').toString(),
    ) as { challenge: unknown }
    const encoded = Buffer.from(JSON.stringify({ challenge, payload, source })).toString('base64url')
    return dialect.readPayment({ get: () => `Payment ${encoded}` })
  }

  it.each([
    ['another signer in the witness', { ...openPermit2, authorizedSigner: hex('56', 20) }, 'witness.authorizedSigner'],
    ['no signer where the witness has one', { ...openPermit2, authorizedSigner: undefined }, 'witness.authorized'],
    ['another salt in the witness', { ...openPermit2, salt: hex('45', 32) }, 'witness.salt'],
    ['no witness', { ...openPermit2, authorization: permit2 }, 'witness is missing'],
    ['another channel in the witness', { ...topUpPermit2, channelId: hex('78', 32) }, 'witness.channelId'],
    ['another amount by Permit2', { ...topUpPermit2, additionalDeposit: '8' }, 'permitted.amount'],
    ['another amount', { ...topUpEip3009, additionalDeposit: '8' }, 'value'],
    [
      'a nonce of 33 bytes',
      { ...openPermit2, authorization: { ...permit2, witness, nonce: `${2n ** 256n}` } },
      'nonce',
    ],
    ['no salt of a top up', { ...topUpEip3009, salt: undefined }, 'payload.salt'],
    ['the signature of the voucher under the name of the other', { ...open, type: 'authorization' }, 'authorization'],
    ['no signature of the voucher', { ...openPermit2, voucherSignature: undefined }, 'voucherSignature'],
  ])('is refused: %s', (_what, payload, field) => {
    expect(() => read(payload)).toThrow(field)
  })

  it('is refused: another source than who signed', () => {
    expect(() => read(openPermit2, `did:pkh:eip155:196:${hex('12', 20)}`)).toThrow('source')
    expect(read(openPermit2, `did:pkh:eip155:196:${hex('11', 20)}`)).toMatchObject({ sender: hex('11', 20) })
    expect(read(openPermit2)).toMatchObject({ sender: hex('11', 20), receiver: hex('22', 20), signer: hex('55', 20) })
  })
})

describe('secrets', () => {
  it('are rotated: an offer of the old one is still genuine, new ones are of the new one', () => {
    const offer: Offer = {
      price: 5n,
      token: `0x${'11'.repeat(20)}`,
      receiver: `0x${'22'.repeat(20)}`,
      chainId: 1,
      escrow: `0x${'33'.repeat(20)}`,
    }
    const [old, rotated, other] = [
      ['secret number one'],
      ['secret number two', 'secret number one'],
      ['secret number 333'],
    ].map((secrets) => payment({ realm: 'r', secrets }))
    const [offered] = old!.readOffers(reader(old!.writeOffer(offer)), 1)
    const paid = reader(
      old!.writePayment(offered!, {
        channelId: `0x${'44'.repeat(32)}`,
        voucher: { cumulativeAmount: 1n, signature: '0xab' },
      }),
    )
    expect([rotated!.readPayment(paid).genuine, other!.readPayment(paid).genuine]).toEqual([true, false])
    const elsewhere = payment({ realm: 'elsewhere', secrets: ['secret number one'] })
    expect(elsewhere.readPayment(paid).genuine).toBe(false)
    expect(rotated!.writeOffer(offer)).not.toEqual(old!.writeOffer(offer))
  })
})

it('reads any garbage in less than a blink, as a refusal and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 4_000 }), (text) => {
      for (const header of [text, `Payment ${text}`, `Payment ${Buffer.from(text).toString('base64url')}`]) {
        try {
          dialect.readPayment({ get: () => header })
        } catch (error) {
          expect(['malformed-payment', 'payment-unsupported']).toContain((error as { code: string }).code)
        }
        expect(Array.isArray(dialect.readOffers({ get: () => header }, 1))).toBe(true)
        expect(dialect.readReceipt({ get: () => text })).toBeUndefined()
      }
    }),
  )
})
