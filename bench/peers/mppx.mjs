/**
 * A seller with mppx's sessions, as its documentation builds one: a listener of
 * node:http around `session`, and its own store in memory. The chain answers at
 * once, from memory: each channel holds its deposit and nobody wants to leave.
 */
import { createServer } from 'node:http'
import { Mppx, Store, tempo } from 'mppx/server'
import { createClient, custom, encodeAbiParameters, getAddress, zeroAddress, zeroHash } from 'viem'
import { tempo as chain } from 'viem/chains'
import { BODY, buyerNumber, DEPOSIT, numbers, serveParent } from './serve.mjs'
import { Channel } from 'ox/tempo'

/** 100 base units of a token with 6 decimals. */
const AMOUNT = '0.0001'
const DAY_MS = 86_400_000

await serveParent(async ({ channels, world }) => {
  const currency = getAddress(world.token)
  const recipient = getAddress(world.receiver)
  const store = Store.memory()
  const buyers = numbers(channels).map((index) => buyerOf(index, currency, recipient))
  for (const buyer of buyers) await store.put(buyer.channelId, channelOf(buyer))
  const client = createClient({ chain, transport: custom({ request: answer }) })
  const seller = Mppx.create({
    methods: [
      tempo.session({
        currency,
        recipient,
        store,
        chainId: chain.id,
        getClient: () => client,
        channelStateTtl: DAY_MS,
        unitType: 'request',
      }),
    ],
    secretKey: 'known to this server alone, 32 bytes or more',
    realm: 'bench.test',
  })
  const sell = Mppx.toNodeListener(seller.session({ amount: AMOUNT }))
  const server = createServer(async (request, response) => {
    const { status } = await sell(request, response)
    if (status !== 402) response.end(BODY)
  })
  const domain = { name: 'TIP20 Channel Reserve', version: '1', chainId: chain.id, address: Channel.address }
  const voucherType = 'Voucher(bytes32 channelId,uint96 cumulativeAmount)'
  return { server, facts: { domain, voucherType, buyers } }
})

function buyerOf(index, token, payee) {
  const payer = buyerNumber(index)
  const terms = {
    payer,
    payee,
    operator: zeroAddress,
    token,
    salt: `0x${index.toString(16).padStart(64, '0')}`,
    authorizedSigner: payer,
    expiringNonceHash: zeroHash,
  }
  return { channelId: Channel.computeId(terms, { chainId: chain.id }), terms }
}

function channelOf({ channelId, terms }) {
  return {
    backend: 'precompile',
    channelId,
    chainId: chain.id,
    escrowContract: Channel.address,
    descriptor: terms,
    ...terms,
    closeRequestedAt: 0n,
    deposit: DEPOSIT,
    settledOnChain: 0n,
    highestVoucherAmount: 0n,
    highestVoucher: null,
    spent: 0n,
    units: 0,
    finalized: false,
    createdAt: new Date().toISOString(),
  }
}

/** The state of any channel: nothing settled, the whole deposit, no close requested. */
async function answer({ method }) {
  if (method === 'eth_chainId') return `0x${chain.id.toString(16)}`
  if (method !== 'eth_call') throw new Error(`the chain was asked for ${method}`)
  const types = [{ type: 'uint96' }, { type: 'uint96' }, { type: 'uint32' }]
  return encodeAbiParameters(types, [0n, DEPOSIT, 0])
}
