/**
 * A seller with x402's batch settlement, as its documentation builds one: the
 * Express middleware, the scheme with its own storage, and vouchers that are
 * verified locally. The channels were seen on the chain a moment ago, which the
 * storage says and the scheme believes for as long as it is told to.
 */
import { createServer } from 'node:http'
import { computeChannelId } from '@x402/evm/batch-settlement/client'
import { BatchSettlementEvmScheme, InMemoryChannelStorage } from '@x402/evm/batch-settlement/server'
import { FileChannelStorage } from '@x402/evm/batch-settlement/server/file-storage'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import express from 'express'
import { getAddress } from 'viem'
import { BODY, buyerNumber, DEPOSIT, numbers, PATH, PRICE, serveParent } from './serve.mjs'

const scheme = 'batch-settlement'
const WITHDRAW_DELAY = 900
const DAY_MS = 86_400_000
/** Where the scheme says that its contract is, on every chain. */
const escrow = '0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003'
/** Signs for the receiver when it takes its money; nothing of that is measured. */
const receiverAuthorizer = getAddress(`0x${'a1'.repeat(20)}`)

await serveParent(async ({ store, channels, world, folder }) => {
  const network = `eip155:${world.chainId}`
  const storage = store === 'file' ? new FileChannelStorage({ directory: folder }) : new InMemoryChannelStorage()
  const buyers = numbers(channels).map((index) => buyerOf(index, world, network))
  for (const buyer of buyers) await storage.updateChannel(buyer.channelId, () => channelOf(buyer))
  const seller = new BatchSettlementEvmScheme(getAddress(world.receiver), {
    storage,
    withdrawDelay: WITHDRAW_DELAY,
    onchainStateTtlMs: DAY_MS,
  })
  const resources = new x402ResourceServer(relayer(network)).register(network, seller)
  const price = { amount: `${PRICE}`, asset: getAddress(world.token), extra: { name: 'USDC', version: '2' } }
  const accepts = { scheme, network, payTo: getAddress(world.receiver), price }
  const app = express()
  app.use(paymentMiddleware({ [`GET ${PATH}`]: { accepts, description: 'weather' } }, resources))
  app.get(PATH, (_request, response) => response.send(BODY))
  const domain = { name: 'x402 Batch Settlement', version: '1', chainId: world.chainId, address: escrow }
  const voucherType = 'Voucher(bytes32 channelId,uint128 maxClaimableAmount)'
  return { server: createServer(app), facts: { domain, voucherType, buyers } }
})

function buyerOf(index, world, network) {
  const payer = buyerNumber(index)
  const terms = {
    payer,
    payerAuthorizer: payer,
    receiver: getAddress(world.receiver),
    receiverAuthorizer,
    token: getAddress(world.token),
    withdrawDelay: WITHDRAW_DELAY,
    salt: `0x${index.toString(16).padStart(64, '0')}`,
  }
  return { channelId: computeChannelId(terms, network), terms }
}

function channelOf({ channelId, terms }) {
  return {
    channelId,
    channelConfig: terms,
    chargedCumulativeAmount: '0',
    signedMaxClaimable: '0',
    signature: '0x',
    balance: `${DEPOSIT}`,
    totalClaimed: '0',
    withdrawRequestedAt: 0,
    refundNonce: 0,
    onchainSyncedAt: Date.now(),
    lastRequestTimestamp: Date.now(),
  }
}

/** Says what it supports, and is asked for nothing else as long as vouchers are verified locally. */
function relayer(network) {
  const unasked = () => Promise.reject(new Error('a voucher was not verified locally'))
  const kinds = [{ x402Version: 2, scheme, network, extra: { receiverAuthorizer } }]
  return {
    getSupported: () => Promise.resolve({ kinds, extensions: [], signers: {} }),
    verify: unasked,
    settle: unasked,
  }
}
