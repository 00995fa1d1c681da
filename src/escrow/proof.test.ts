import { hashTypedData } from 'viem'
import { expect, it } from 'vitest'
import { bytesToHex } from '../base/encode.ts'
import { proofDigest } from './proof.ts'

const at = { chainId: 31337, address: `0x${'e5'.repeat(20)}` } as const
const channelId = `0x${'ab'.repeat(32)}` as const
const [sender, receiver] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`] as const
const domain = { name: 'Farthing Proof', version: '1', chainId: at.chainId, verifyingContract: at.address }
const validUntil = 1_800_000_000n
const bytes32 = { name: 'channelId', type: 'bytes32' }
const until = { name: 'validUntil', type: 'uint64' }

it('of one who reads, lists or closes is typed data, byte-equal to viem', () => {
  const types = {
    ReadChannel: [bytes32, until],
    CloseChannel: [bytes32, { name: 'cumulativeAmount', type: 'uint256' }, until],
    ListChannels: [{ name: 'sender', type: 'address' }, { name: 'receiver', type: 'address' }, until],
  }
  const hash = (primaryType: keyof typeof types, message: Record<string, unknown>) =>
    hashTypedData({ domain, types, primaryType, message: { ...message, validUntil } })
  expect(bytesToHex(proofDigest({ ask: 'read', channelId }, validUntil, at))).toBe(hash('ReadChannel', { channelId }))
  expect(bytesToHex(proofDigest({ ask: 'close', channelId, amount: 7n }, validUntil, at))).toBe(
    hash('CloseChannel', { channelId, cumulativeAmount: 7n }),
  )
  expect(bytesToHex(proofDigest({ ask: 'list', sender, receiver }, validUntil, at))).toBe(
    hash('ListChannels', { sender, receiver }),
  )
})
