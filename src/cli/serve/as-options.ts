/** The library names its settings; whoever types a command knows them as options. */
import type { Address } from 'viem'
import { ConfigError } from '../../base/faults.ts'

const options: Readonly<Record<string, string>> = {
  store: '--state-file',
  path: '--state-file',
  rpc: '--rpc',
  chainId: '--rpc',
  'rail.chainId': '--rpc',
  'rail.token': '--token',
  confirmations: '--confirmations',
  maxFeePerGas: '--gas-price-cap',
  port: '--port',
  wallet: '--receiver',
  'tls.cert': '--tls-cert',
  'tls.certFile': '--tls-cert',
  'tls.key': '--tls-key',
  'tls.keyFile': '--tls-key',
}

/** The same with the option's name. `contract`: the one of the rail rdn. */
export async function inOptions<T>(contract: Address | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof ConfigError ? asOption(error, contract) : error
  }
}

export function asOption(error: ConfigError, contract: Address | undefined): ConfigError {
  const problem = error.message.slice(`${error.field}: `.length)
  const option = error.field === 'rail.address' ? escrowOption(problem, contract) : options[error.field]
  return option === undefined ? error : new ConfigError(option, problem)
}

function escrowOption(problem: string, contract: Address | undefined): string {
  return contract !== undefined && problem.includes(contract) ? '--contract' : '--escrow'
}

/** The same for what has names of its own for its settings. */
export function named<T>(names: Readonly<Record<string, string>>, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const name = error instanceof ConfigError ? names[error.field] : undefined
    if (!(error instanceof ConfigError) || name === undefined) throw error
    throw new ConfigError(name, error.message.slice(`${error.field}: `.length))
  }
}
