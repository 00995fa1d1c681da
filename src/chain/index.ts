/** A node and a key: `farthing/chain`. */
export { createChain } from './rpc.ts'
export { createWallet } from './wallet.ts'
export type { Chain, Mined, Wallet } from './chain.ts'
