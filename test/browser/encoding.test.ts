/** The page writes calls and digests by itself, to stay small. Here they are compared with those of the package. */
import fc from 'fast-check'
import { bytesToHex } from '../../src/base/encode.ts'
import type { Hex } from 'viem'
import { privateKeyToAccount, sign } from 'viem/accounts'
import { expect, it } from 'vitest'
import { consentMessage, voucherMessage } from '../../src/escrow/raiden-messages.ts'
import { raiden } from '../../src/escrow/raiden.ts'
import type { Channel } from '../../src/channel/channel.ts'
import { closeCall, requestCloseCall, withdrawCall } from '../../src/web/paywall/escrow.ts'
import { textIn } from '../../src/web/paywall/encoding.ts'
import { channelIdOf, digestOf, signerOf } from '../../src/web/paywall/signature.ts'
import { formatted, parsed } from '../../src/web/paywall/units.ts'

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value): Hex => bytesToHex(value))

const opened = fc.record({
  sender: hex(20),
  receiver: hex(20),
  escrow: hex(20),
  openBlock: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  amount: fc.bigInt(0n, 2n ** 192n - 1n),
  voucher: hex(65),
  consent: hex(65),
})

it('digests, ids and calls are those of the escrow', () => {
  fc.assert(
    fc.property(opened, ({ sender, receiver, escrow, openBlock, amount, voucher, consent }) => {
      const terms = { openBlock }
      const signed = { cumulativeAmount: amount, signature: voucher }
      const channel = { sender, receiver, escrow, terms, voucher: signed } as unknown as Channel<typeof terms>
      const block = BigInt(openBlock)
      const at = { chainId: 1, address: escrow }
      const place = { openBlock: block, escrow }
      const digest = raiden.digester(at)(channel, amount)
      expect(digestOf(voucherMessage(receiver, place, amount))).toEqual(digest)
      expect(digestOf(consentMessage(sender, place, amount))).toEqual(raiden.consent(channel, amount))
      expect(channelIdOf(sender, receiver, block)).toBe(raiden.channelId(channel, at))
      const offer = { price: 1n, token: escrow, receiver, escrow, chainId: 1 }
      const desk = {
        wallet: { name: '', provider: { request: () => Promise.reject(new Error('asked')) } },
        account: sender,
        offer,
      }
      expect(closeCall(desk, block, amount, voucher, consent)).toMatchObject(
        raiden.calls.close(channel, amount, consent),
      )
      expect(requestCloseCall(desk, block, amount)).toMatchObject(raiden.calls.requestClose(channel, amount))
      expect(withdrawCall(desk, block)).toMatchObject(raiden.calls.withdraw(channel))
    }),
  )
})

it('finds who signed, and nobody where the contract finds nobody', async () => {
  const member = { type: 'string', name: 'message_id', value: 'Sender' }
  expect(signerOf(digestOf([member]), `0x${'00'.repeat(64)}1b`)).toBeUndefined()
  expect(signerOf(digestOf([member]), `0x${'11'.repeat(64)}1d`)).toBeUndefined()
  expect(signerOf(digestOf([member]), `0x${'11'.repeat(32)}${'ee'.repeat(32)}1b`)).toBeUndefined()
  const privateKey: Hex = `0x${'11'.repeat(32)}`
  const signature = await sign({ hash: bytesToHex(digestOf([member])), privateKey, to: 'hex' })
  const { address } = privateKeyToAccount(privateKey)
  expect(signerOf(digestOf([member]), signature)).toBe(address.toLowerCase())
  expect(signerOf(digestOf([member, member]), signature)).not.toBe(address.toLowerCase())
})

it('amounts come back as they were written', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 192n), fc.integer({ min: 0, max: 77 }), (amount, decimals) => {
      expect(parsed(formatted(amount, decimals), decimals)).toBe(amount)
    }),
  )
})

it.each(['', '-1', '1e3', '0x10', '1.2.3', '.5', '1.1234567', 'one', '١'])('%o is not an amount', (text) => {
  expect(parsed(text, 6)).toBeUndefined()
})

it('reads names of tokens of both kinds, and drops what could mislead', () => {
  const word = (text: string) => Buffer.from(text).toString('hex').padEnd(64, '0')
  const uint = (value: number) => value.toString(16).padStart(64, '0')
  const dynamic = (text: string) => `0x${uint(32)}${uint(text.length)}${word(text)}`
  expect(textIn(dynamic('USDC'))).toBe('USDC')
  expect(textIn(`0x${word('MKR')}`)).toBe('MKR')
  expect(textIn(dynamic('A\n <b>'))).toBe('A<b>')
  expect(textIn('0x')).toBe('')
})
