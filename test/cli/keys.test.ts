/** Key files: encrypted, for their owner only, and the same as other wallets make. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAddress } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import { addressIn, decryptKey, encryptKey } from '../../src/cli/keystore.ts'
import { newHome } from './farthing.ts'

const home = newHome()
const password = join(home.folder, 'password')
writeFileSync(password, 'correct horse\n', { mode: 0o600 })

describe('farthing keys new', () => {
  it('makes an encrypted V3 file that only its owner can read, and that other commands use', async () => {
    const { code, stdout } = await home.run(['keys', 'new', '--password-file', password, '--json'])
    expect(code).toBe(0)
    const { address, file } = JSON.parse(stdout) as { address: string; file: string }
    expect(file).toBe(join(home.folder, 'key.json'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { version: number; crypto: { kdfparams: object } }
    expect(stored).toMatchObject({ version: 3, crypto: { cipher: 'aes-128-ctr', kdf: 'scrypt' } })
    expect(stored.crypto.kdfparams).toMatchObject({ n: 131_072, r: 8, p: 1, dklen: 32 })
    expect(privateKeyToAddress(decryptKey(readFileSync(file, 'utf8'), 'correct horse'))).toBe(address)
    const shown = await home.here(['keys', 'show'])
    expect(shown.stdout.trim()).toBe(address.toLowerCase())
  })

  it('never writes over a file, and never shows the key', async () => {
    const file = join(home.folder, 'mine.json')
    const first = await home.here(['keys', 'new', file, '--password-file', password])
    const stored = readFileSync(file, 'utf8')
    const key = decryptKey(stored, 'correct horse').slice(2)
    expect(`${first.stdout}${first.stderr}${stored}`).not.toContain(key)
    const second = await home.here(['keys', 'new', file, '--password-file', password])
    expect([second.code, second.stderr]).toEqual([2, `farthing: file: ${file} is there already. Name another.\n`])
    expect(readFileSync(file, 'utf8')).toBe(stored)
  })

  it('asks for a password only where somebody can type one', async () => {
    const { code, stderr } = await home.run(['keys', 'new', join(home.folder, 'x.json')])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--password-file FILE') as string])
  })

  it('takes no empty password', async () => {
    const empty = join(home.folder, 'empty')
    writeFileSync(empty, '\n', { mode: 0o600 })
    const { code, stderr } = await home.here(['keys', 'new', join(home.folder, 'x.json'), '--password-file', empty])
    expect([code, stderr]).toEqual([2, expect.stringContaining('is empty') as string])
  })
})

describe('a file that others can read', () => {
  it.each(['key', 'password'])('is refused with the fix: the %s file', async (which) => {
    const key = join(home.folder, `${which}-open.json`)
    writeFileSync(key, encryptKey(`0x${'11'.repeat(32)}`, 'correct horse'), { mode: 0o600 })
    const file = which === 'key' ? key : password
    chmodSync(file, 0o640)
    const args = ['channels', '--rpc', 'http://127.0.0.1:9', '--key', key]
    const making = ['keys', 'new', join(home.folder, 'y.json'), '--password-file', password]
    const { code, stderr } = await home.here(which === 'key' ? args : making)
    chmodSync(file, 0o600)
    expect(code).toBe(2)
    expect(stderr).toContain(`Run \`chmod 600 ${file}\``)
  })
})

describe('a file with a secret', () => {
  it.each([
    ['is not there', 'none', 'no such file or directory'],
    ['is a folder', '.', 'illegal operation on a directory'],
  ])('that %s is named, with the option', async (_what, name, reason) => {
    const file = join(home.folder, name)
    const making = ['keys', 'new', join(home.folder, 'z.json'), '--password-file', file]
    const { code, stderr } = await home.here(making)
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`--password-file: ${file} cannot be read (${reason})`) as string,
    ])
  })
})

describe('a key on the command line', () => {
  it('is refused, and not repeated', async () => {
    const key = `0x${'22'.repeat(32)}`
    const { code, stderr } = await home.here(['channels', '--rpc', 'http://127.0.0.1:9', '--key', key])
    expect([code, stderr]).toEqual([2, expect.stringContaining('FARTHING_KEY') as string])
    expect(stderr).not.toContain('2222')
  })
})

/** From "Web3 Secret Storage Definition" (pbkdf2) and from the documentation of web3.js (scrypt). */
const secret = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const published = {
  scrypt: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '2885df2b63f7ef247d753c82fa20038a' },
    ciphertext: 'a1c25da3ecde4e6a24f3697251dd15d6208520efc84ad97397e906e6df24d251',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262_144,
      r: 8,
      p: 1,
      salt: '4531b3c174cc3ff32a6a7a85d6761b410db674807b2d216d022318ceee50be10',
    },
    mac: 'b8b010fff37f9ae5559a352a185e86f9b9c1d7f7a9f1bd4e82a5dd35468fc7f6',
  },
  pbkdf2: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262_144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
}

describe('the format', () => {
  it.each([
    ['pbkdf2', 'testpassword', secret],
    ['scrypt', 'test!', '0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318'],
  ] as const)('reads the published %s file', (kdf, password, key) => {
    const text = JSON.stringify({ version: 3, crypto: published[kdf] })
    expect(decryptKey(text, password)).toBe(key)
    expect(addressIn(text)).toBeUndefined()
  })

  it('refuses a wrong password, and bytes that were changed', () => {
    const text = encryptKey(secret, 'right')
    expect(decryptKey(text, 'right')).toBe(secret)
    expect(() => decryptKey(text, 'wrong')).toThrow(/password: is wrong/)
    const broken = text.replace(
      /"ciphertext":"(..)/,
      (_, byte: string) => `"ciphertext":"${byte === '00' ? '01' : '00'}`,
    )
    expect(() => decryptKey(broken, 'right')).toThrow(/password: is wrong/)
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['JSON of something else', '{}'],
    ['an older version', '{"version":1}'],
    ['no crypto', '{"version":3}'],
    ['an unknown cipher', JSON.stringify({ version: 3, crypto: { ...published.scrypt, cipher: 'rot13' } })],
    ['an unknown key derivation', JSON.stringify({ version: 3, crypto: { ...published.scrypt, kdf: 'md5' } })],
    ['bytes that are no hex', JSON.stringify({ version: 3, crypto: { ...published.scrypt, mac: 'xyz' } })],
    [
      'a wish for all the memory',
      JSON.stringify({
        version: 3,
        crypto: { ...published.scrypt, kdfparams: { ...published.scrypt.kdfparams, n: 2 ** 30, r: 64 } },
      }),
    ],
  ])('refuses %s as a ConfigError, at once', (_what, text) => {
    expect(() => decryptKey(text, 'x')).toThrow(ConfigError)
  })
})
