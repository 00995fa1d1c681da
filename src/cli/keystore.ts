/**
 * Web3 Secret Storage, version 3: the encrypted key files that Ethereum wallets share.
 *
 * @see https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage
 */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2Sync,
  randomBytes,
  randomUUID,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import type { Address, Hex } from 'viem'
import { bytesToHex, hexToBytes } from '../base/encode.ts'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import * as read from '../base/read.ts'
import { addressOfKey, keccak256 } from '../base/secp256k1.ts'

/** As geth and Foundry write them; about half a second and 128 MB. */
const N = 131_072

export function encryptKey(privateKey: Hex, password: string): string {
  const kdfparams = { dklen: 32, n: N, r: 8, p: 1, salt: randomBytes(32).toString('hex') }
  const iv = randomBytes(16)
  const derived = scrypt(password, kdfparams)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(hexToBytes(privateKey)), cipher.final()])
  return JSON.stringify({
    version: 3,
    id: randomUUID(),
    address: addressOfKey(privateKey).slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams,
      mac: mac(derived, ciphertext).toString('hex'),
    },
  })
}

/** @throws {ConfigError} for a wrong password, and for what is no such file */
export function decryptKey(text: string, password: string): Hex {
  return readable(() => decrypt(text, password))
}

/** What the file says, unproved, so that looking needs no password; undefined: it does not say. @throws {ConfigError} */
export function addressIn(text: string): Address | undefined {
  return readable(() => {
    const said = member(fileOf(text), 'address')
    return typeof said === 'string' ? read.address(`0x${said.replace(/^0x/, '')}`.toLowerCase(), 'address') : undefined
  })
}

function readable<T>(look: () => T): T {
  try {
    return look()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(
      'key',
      `is not a V3 keystore file (${messageOf(error).replace('The payment is malformed: ', '')})`,
    )
  }
}

function decrypt(text: string, password: string): Hex {
  const sealed = read.object(member(fileOf(text), 'crypto', 'Crypto'), 'crypto')
  const cipher = read.text(member(sealed, 'cipher'), 'crypto.cipher')
  if (cipher !== 'aes-128-ctr') throw new ConfigError('key', `is encrypted with ${cipher}; only aes-128-ctr is known`)
  const derived = derive(sealed, password)
  const ciphertext = bytes(member(sealed, 'ciphertext'), 'crypto.ciphertext')
  const expected = bytes(member(sealed, 'mac'), 'crypto.mac')
  const found = mac(derived, ciphertext)
  if (expected.length !== found.length || !timingSafeEqual(expected, found)) {
    throw new ConfigError('password', 'is wrong for this key file. Nothing was signed')
  }
  const iv = bytes(member(read.object(member(sealed, 'cipherparams'), 'cipherparams'), 'iv'), 'cipherparams.iv')
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  return bytesToHex(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
}

function fileOf(text: string): read.JsonObject {
  const file = read.jsonObject(text, 'key file')
  if (member(file, 'version') !== 3)
    throw new ConfigError('key', 'is not a V3 keystore file. `farthing keys new` makes one')
  return file
}

function derive(sealed: read.JsonObject, password: string): Buffer {
  const kdf = read.text(member(sealed, 'kdf'), 'crypto.kdf')
  const parameters = read.object(member(sealed, 'kdfparams'), 'crypto.kdfparams')
  const number = (name: string) => read.count(member(parameters, name), `kdfparams.${name}`)
  const salt = bytes(member(parameters, 'salt'), 'kdfparams.salt')
  if (kdf === 'scrypt') {
    return scrypt(password, {
      n: number('n'),
      r: number('r'),
      p: number('p'),
      dklen: number('dklen'),
      salt: salt.toString('hex'),
    })
  }
  if (kdf === 'pbkdf2') return pbkdf2Sync(password, salt, number('c'), number('dklen'), 'sha256')
  throw new ConfigError('key', `uses ${kdf}; only scrypt and pbkdf2 are known`)
}

type Scrypt = {
  readonly n: number
  readonly r: number
  readonly p: number
  readonly dklen: number
  readonly salt: string
}

/** A file that wants more than a gigabyte is refused by the limit. */
function scrypt(password: string, { n, r, p, dklen, salt }: Scrypt): Buffer {
  return scryptSync(password, Buffer.from(salt, 'hex'), dklen, { N: n, r, p, maxmem: 2 ** 30 })
}

function mac(derived: Buffer, ciphertext: Uint8Array): Buffer {
  return Buffer.from(keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])))
}

function bytes(value: unknown, field: string): Buffer {
  const hex = read.text(value, field)
  if (!/^([0-9a-fA-F]{2})+$/.test(hex)) throw new ConfigError('key', `${field} is not hex`)
  return Buffer.from(hex, 'hex')
}

function member(from: read.JsonObject, ...names: readonly string[]): unknown {
  return names.map((name) => read.member(from, name)).find((value) => value !== undefined)
}
