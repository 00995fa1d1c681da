/** Who may administer: names, and what is kept of their passwords. There is nobody by default. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { ConfigError } from '../base/faults.ts'

/** `password` is what {@link hashPassword} made of it. */
export type User = { readonly name: string; readonly password: string }

/** Whether this is the password of that user. Takes the same time for a name that nobody has. */
export type CheckPassword = (name: string, password: string) => Promise<boolean>

type Cost = { readonly ln: number; readonly r: number; readonly p: number }
type Hashed = Cost & { readonly salt: Buffer; readonly hash: Buffer }

/** 32 MB, and about a quarter of a second. @see OWASP Password Storage Cheat Sheet, scrypt */
const COST: Cost = { ln: 15, r: 8, p: 3 }
const BYTES = 32

/**
 * What to keep of a password: a salted scrypt hash with its parameters, which cannot be turned back.
 *
 * @throws {ConfigError} for an empty one
 */
export async function hashPassword(password: string): Promise<string> {
  if (password === '') throw new ConfigError('password', 'is empty. Use a long one that nobody else has')
  const salt = randomBytes(16)
  const hash = await derive(password, { ...COST, salt })
  const { ln, r, p } = COST
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** @throws {ConfigError} naming the user that cannot be one */
export function checkUsers(users: readonly User[]): CheckPassword {
  const known = new Map<string, Hashed>()
  for (const [index, { name, password }] of users.entries()) {
    const field = `users[${index}]`
    if (name === '' || name.includes(':')) throw new ConfigError(`${field}.name`, 'is empty or has a colon in it')
    if (known.has(name)) throw new ConfigError(`${field}.name`, `there are two users ${JSON.stringify(name)}`)
    known.set(name, readHash(password, `${field}.password`))
  }
  const [first] = known.values()
  return async (name, password) => {
    if (!first) return false
    const user = known.get(name)
    const { hash, ...cost } = user ?? first
    const same = timingSafeEqual(await derive(password, cost), hash)
    return same && user !== undefined
  }
}

/** A password in the clear is refused too: it would be found in the configuration. */
function readHash(text: string, field: string): Hashed {
  const [, ln, r, p, salt = '', hash = ''] = GRAMMAR.exec(text) ?? []
  if (ln === undefined) throw new ConfigError(field, 'is not a hash. Make one with hashPassword, and give that')
  const hashed = { ln: Number(ln), r: Number(r), p: Number(p) }
  return { ...hashed, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') }
}

/** From 16 MB to 1 GB; 32 bytes of hash. */
const GRAMMAR = /^\$scrypt\$ln=(1[4-9]|20),r=(8),p=([1-9]|1[0-6])\$([\w-]{16,64})\$([\w-]{43})$/

function derive(password: string, { ln, r, p, salt }: Cost & { readonly salt: Buffer }): Promise<Buffer> {
  const N = 2 ** ln
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, BYTES, { N, r, p, maxmem: 256 * N * r }, (error, derived) => {
      if (error) reject(error)
      else resolve(derived)
    })
  })
}
