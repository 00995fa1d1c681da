/** One of the threads of `recovery.ts`: answers batches of signatures, in the order in which they come. */
import type { Hex } from 'viem'
import { parentPort } from 'node:worker_threads'
import { recoverAddress } from './secp256k1.ts'

/** `digests`: 32 bytes for each signature. */
export type Batch = { readonly digests: Uint8Array; readonly signatures: readonly Hex[] }

parentPort?.on('message', ({ digests, signatures }: Batch) => {
  const signers = signatures.map((signature, at) => recoverAddress(digests.subarray(32 * at, 32 * at + 32), signature))
  parentPort?.postMessage(signers)
})
