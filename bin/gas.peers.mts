/** What the peers cost, measured on a node by the same rules; all balances non-zero, as ours are. */
import type { Figures } from './gas.node.mts'

/** RaidenMicroTransferChannels 0.2.0 as it was compiled in 2018. */
export const original: Figures = {
  createByTransfer: 71_142,
  approveAndCreate: 115_493,
  topUpByTransfer: 54_723,
  approveAndTopUp: 98_553,
  withdrawFirst: 76_680,
  withdrawNext: 59_609,
  cooperativeClose: 71_126,
  uncooperativeClose: 52_797,
  settle: 58_059,
  life: 71_142 + 76_680 + 71_126,
}

/** Of x402's batch settlement: the steps as its own programs take them. `claim` books what `settle` then pays. */
const x402 = {
  deposit: 119_718,
  topUp: 98_750,
  claim: 60_240,
  claimOf50: 1_216_487,
  settle: 46_224,
  refund: 84_610,
  claimAndRefund: 121_493,
  initiateWithdraw: 52_653,
  finalizeWithdraw: 50_518,
}

/**
 * The same in our words. Its deposits are signed (EIP-3009) and sent by another. `close` is what remains to do after a
 * settlement. A life of it costs least when it claims in the transaction that ends it, so that counts.
 */
export const batchSettlement: Figures = {
  openWithAuthorization: x402.deposit,
  topUpWithAuthorization: x402.topUp,
  settle: x402.claim + x402.settle,
  settlePerChannelIn50: Math.round((x402.claimOf50 + x402.settle) / 50),
  close: x402.refund,
  requestClose: x402.initiateWithdraw,
  withdraw: x402.finalizeWithdraw,
  life: x402.deposit + x402.claimAndRefund + x402.settle,
}
