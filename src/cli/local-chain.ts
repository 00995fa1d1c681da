/** A whole world on this machine: a chain, an escrow, a token with a faucet, and accounts that hold some of each. */
import { concat, encodeAbiParameters, encodeFunctionData, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { startAnvil, type Anvil, type AnvilAccount, type AnvilOptions } from '../chain/anvil.ts'
import type { Chain, Wallet } from '../chain/chain.ts'
import { deploy } from '../chain/deploy.ts'
import { createChain } from '../chain/rpc.ts'
import { createWallet } from '../chain/wallet.ts'
import { demoTokenAbi } from '../escrow/abi/demo-token.ts'
import { demoTokenBytecode } from '../escrow/abi/demo-token-bytecode.ts'
import { channelEscrowCreation, raidenChannelsCreation } from '../escrow/creation.ts'

export type LocalChain = {
  readonly anvil: Anvil
  readonly chain: Chain
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  /** A `RaidenChannels` for the token. */
  readonly raiden: Address
  /** The first one deployed the contracts. All hold coins and tokens. */
  readonly accounts: readonly AnvilAccount[]
  /** A wallet of one of the accounts. Take it once per account: it keeps the nonces. */
  wallet(account: AnvilAccount): Wallet
  /** Gives an account tokens, in base units. */
  faucet(to: Address, amount: bigint): Promise<void>
}

/** `pollMs`: how often to look for a new block. */
export type LocalChainOptions = AnvilOptions & { readonly pollMs?: number }

/** Seconds that a receiver has to answer a sender that leaves. */
export const CHALLENGE_PERIOD = 900n
/** The same in blocks, for `RaidenChannels`. */
const CHALLENGE_BLOCKS = 500
/** Base units of the demo token that each account starts with: 1,000 of 6 decimals. */
export const STARTING_TOKENS = 1_000_000_000n

/** @throws {ConfigError} if anvil is missing or does not start */
export async function startLocalChain({ pollMs = 250, ...options }: LocalChainOptions = {}): Promise<LocalChain> {
  const anvil = await startAnvil(options)
  try {
    return await furnish(anvil, pollMs)
  } catch (error) {
    await anvil.stop()
    throw error
  }
}

async function furnish(anvil: Anvil, pollMs: number): Promise<LocalChain> {
  const [deployer] = anvil.accounts
  if (!deployer) throw new Error('anvil has no accounts')
  const account = privateKeyToAccount(deployer.privateKey)
  const chain = createChain({ rpc: anvil.url, confirmations: 1, pollMs })
  const escrow = await deploy(anvil.url, account, channelEscrowCreation(CHALLENGE_PERIOD))
  const supply = STARTING_TOKENS * BigInt(anvil.accounts.length)
  const token = await deploy(anvil.url, account, concat([demoTokenBytecode, tokenArguments(supply)]))
  const raiden = await deploy(anvil.url, account, raidenChannelsCreation({ token, challengePeriod: CHALLENGE_BLOCKS }))
  const faucetWallet = createWallet({ chain, account })
  const faucet = async (to: Address, amount: bigint) => {
    await faucetWallet.send({ to: token, data: mint(to, amount) })
  }
  await Promise.all(anvil.accounts.slice(1).map(({ address }) => faucet(address, STARTING_TOKENS)))
  return {
    anvil,
    chain,
    chainId: await chain.id(),
    escrow,
    token,
    raiden,
    accounts: anvil.accounts,
    wallet: ({ address, privateKey }) =>
      address === deployer.address ? faucetWallet : createWallet({ chain, account: privateKeyToAccount(privateKey) }),
    faucet,
  }
}

function tokenArguments(supply: bigint): Hex {
  const types = [{ type: 'string' }, { type: 'string' }, { type: 'uint8' }, { type: 'uint256' }]
  return encodeAbiParameters(types, ['Farthing Demo Token', 'FARDEMO', 6, supply])
}

function mint(to: Address, amount: bigint): Hex {
  return encodeFunctionData({ abi: demoTokenAbi, functionName: 'mint', args: [to, amount] })
}
