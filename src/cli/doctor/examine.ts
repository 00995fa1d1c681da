/** All checks, in the order in which one builds on another. Nothing is changed, and nothing is sent. */
import { dirname, join, resolve } from 'node:path'
import { homeFolder } from '../home.ts'
import type { SellerOptions } from '../serve/options.ts'
import { openChain } from '../serve/place.ts'
import { usualStateFile } from '../serve/state-file.ts'
import { lookAtCoins, lookAtRails, lookForPlace } from './contracts.ts'
import { lookAtCommits, lookAtDriver, lookAtSpace } from './disk.ts'
import type { Finding } from './finding.ts'
import { lookAtKey } from './key-file.ts'
import { lookAtCores, lookAtEngine, lookAtNodeVersion } from './machine.ts'
import { lookAtNodes } from './nodes.ts'
import { lookAtStateFile } from './state-file.ts'

/** Whether a seller's configuration is looked at as well. */
export function isConfigured(options: SellerOptions): boolean {
  const { keyFile, passwordFile, rpc, stateFile } = options
  return namesContracts(options) || [keyFile, passwordFile, rpc, stateFile].some((one) => one !== undefined)
}

/** Yields each finding as soon as it is there. */
export async function* examine(options: SellerOptions): AsyncGenerator<Finding> {
  const { stateFile } = options
  yield* lookAtMachine(stateFile === undefined ? join(homeFolder(), 'receivers') : dirname(resolve(stateFile)))
  if (isConfigured(options)) yield* lookAtSeller(options)
}

async function* lookAtMachine(folder: string): AsyncGenerator<Finding> {
  yield (await lookAtNodeVersion()).finding
  yield (await lookAtEngine()).finding
  yield (await lookAtCores()).finding
  const driver = await lookAtDriver()
  yield driver.finding
  if (driver.finding.verdict === 'ok') yield (await lookAtCommits(folder)).finding
  yield (await lookAtSpace(folder)).finding
}

async function* lookAtSeller(options: SellerOptions): AsyncGenerator<Finding> {
  const key = await lookAtKey(options)
  yield key.finding
  const nodes = await lookAtNodes(options.rpc ?? [])
  yield* nodes.map(({ finding }) => finding)
  const urls = nodes.flatMap(({ value }) => value?.url ?? [])
  const isCutOff = options.rpc !== undefined && urls.length === 0
  const live = { ...options, ...(options.rpc && { rpc: urls }) }
  const place = namesContracts(options) && !isCutOff ? await lookForPlace(live) : undefined
  if (namesContracts(options) && isCutOff) {
    yield { name: 'contracts', verdict: 'warn', detail: 'not looked at, because no node answers' }
  }
  if (place && !place.value) yield place.finding
  if (place?.value) yield* await lookAtRails(place.value, key.value)
  if (urls.length > 0 && key.value) {
    yield await lookAtCoins(() => openChain(live), key.value, options.gasPriceCap)
  }
  const { stateFile, receiver } = options
  const [at, address] = [place?.value, receiver ?? key.value]
  if (stateFile !== undefined) yield await lookAtStateFile(() => stateFile, address)
  else if (at && address) yield await lookAtStateFile(() => usualStateFile(at, address), address)
}

function namesContracts({ escrow, contract, token, rail }: SellerOptions): boolean {
  return [escrow, contract, token, rail].some((one) => one !== undefined)
}
