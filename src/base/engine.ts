/**
 * The fastest secp256k1 and keccak that this machine has: libsecp256k1 as a
 * native addon, else the same library as WebAssembly, else pure JavaScript.
 *
 * They differ in speed only; `secp256k1.test.ts` runs the same vectors and the
 * same refusals on all three. The native package's own JavaScript fallback is
 * 30 times slower than WebAssembly, so its addon is loaded directly.
 */
import { createRequire } from 'node:module'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'

export type Keccak = (bytes: Uint8Array) => Uint8Array

export type Engine = {
  readonly name: 'native' | 'wasm' | 'javascript'
  readonly keccak256: Keccak
  /** The uncompressed public key, 65 bytes. Throws if there is none. `rs` is 64 bytes, `recovery` 0 or 1. */
  recover(digest: Uint8Array, rs: Uint8Array, recovery: number): Uint8Array
  /** Deterministic (RFC 6979), low s. 64 bytes and the recovery id. */
  sign(digest: Uint8Array, privateKey: Uint8Array): { readonly rs: Uint8Array; readonly recovery: number }
  /** Uncompressed, 65 bytes. Throws if the key is zero or too large. */
  publicKey(privateKey: Uint8Array): Uint8Array
}

/** Every engine that works here, fastest first. */
export async function engines(): Promise<Engine[]> {
  const keccak256 = (await wasmKeccak()) ?? keccak_256
  const found = [nativeEngine(keccak256), await wasmEngine(keccak256), javascriptEngine()]
  return found.filter((engine) => engine !== undefined)
}

type NativeAddon = {
  ecdsaRecover(rs: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number }
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array
}

function nativeEngine(keccak256: Keccak): Engine | undefined {
  const addon = loadAddon()
  return (
    addon && {
      name: 'native',
      keccak256,
      recover: (digest, rs, recovery) => addon.ecdsaRecover(rs, recovery, digest, false),
      sign: (digest, privateKey) => {
        const { signature, recid } = addon.ecdsaSign(digest, privateKey)
        return { rs: signature, recovery: recid }
      },
      publicKey: (privateKey) => addon.publicKeyCreate(privateKey, false),
    }
  )
}

/** An optional dependency: absent, or without a binary for this platform, is not an error. */
function loadAddon(): NativeAddon | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings') as NativeAddon
  } catch {
    return undefined
  }
}

async function wasmEngine(keccak256: Keccak): Promise<Engine | undefined> {
  try {
    const { engine } = await import('ox/wasm/Secp256k1')
    const wasm = await engine()
    return {
      name: 'wasm',
      keccak256,
      recover: (digest, rs, recovery) => wasm.recoverPublicKey(prefixed(recovery, rs), digest),
      sign: (digest, privateKey) => {
        const signature = wasm.sign(digest, privateKey, { extraEntropy: false, prehash: false })
        return { rs: signature.subarray(1), recovery: signature[0] ?? 0 }
      },
      publicKey: (privateKey) => wasm.getPublicKey(privateKey),
    }
  } catch {
    return undefined
  }
}

async function wasmKeccak(): Promise<Keccak | undefined> {
  try {
    const { engine } = await import('ox/wasm/Hash')
    const { keccak256 } = await engine()
    return (bytes) => keccak256(bytes)
  } catch {
    return undefined
  }
}

function javascriptEngine(): Engine {
  return {
    name: 'javascript',
    keccak256: keccak_256,
    recover: (digest, rs, recovery) =>
      noble.Signature.fromBytes(rs, 'compact').addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false),
    sign: (digest, privateKey) => {
      const signature = noble.sign(digest, privateKey, { prehash: false, format: 'recovered' })
      return { rs: signature.subarray(1), recovery: signature[0] ?? 0 }
    },
    publicKey: (privateKey) => noble.getPublicKey(privateKey, false),
  }
}

/** The form that this library and noble call 'recovered'. */
function prefixed(recovery: number, rs: Uint8Array): Uint8Array {
  const signature = new Uint8Array(65)
  signature[0] = recovery
  signature.set(rs, 1)
  return signature
}
