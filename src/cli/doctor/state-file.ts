/** The state file: whether it opens, and whose it is. It is read, never opened as a server does: that may change it. */
import { accessSync, constants, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { getAddress, type Address } from 'viem'
import { ConfigError, StoreInUseError } from '../../base/faults.ts'
import { address as readAddress } from '../../base/read.ts'
import { openingFault } from '../../store/sqlite-faults.ts'
import { look, type Finding } from './finding.ts'

/** @param find the path. @param address of the receiver, if it is known */
export async function lookAtStateFile(find: () => string, address: Address | undefined): Promise<Finding> {
  const { finding } = await look('state file', async () => {
    const path = resolve(find())
    const ok = (detail: string) => ({ verdict: 'ok' as const, detail, value: undefined })
    if (!existsSync(path)) return ok(`none at ${path} yet; the first start makes it`)
    const owner = await ownerOf(path)
    if (owner === 'in use') return ok(`${path} is in use, as it is while its server runs`)
    if (owner !== undefined && address !== undefined && owner !== address) {
      throw new ConfigError(
        '--state-file',
        `${path} holds the channels of ${owner}, and the key is that of ${address}. Use that one's key, or another file`,
      )
    }
    return ok(`${path}, of ${owner === undefined ? 'nobody yet' : getAddress(owner)}`)
  })
  return finding
}

async function ownerOf(path: string): Promise<Address | 'in use' | undefined> {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return await readOwner(path)
  } catch (error) {
    const fault = openingFault(path, error)
    if (fault instanceof StoreInUseError) return 'in use'
    throw fault
  }
}

/** A store whose server was killed still has its log; reading that leaves an index of it behind, as every reader does. */
async function readOwner(path: string): Promise<Address | undefined> {
  const { DatabaseSync } = await import('@photostructure/sqlite')
  const { APPLICATION, VERSION } = await import('../../store/sqlite-schema.ts')
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    const cell = (sql: string, ...values: string[]): unknown => {
      const row: unknown = db.prepare(sql).get(...values)
      return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined
    }
    if (cell('PRAGMA application_id') !== APPLICATION)
      throw new ConfigError('--state-file', `${path} is not a Farthing store. Name another file, or restore a backup`)
    const version = Number(cell('PRAGMA user_version'))
    if (version > VERSION)
      throw new ConfigError(
        '--state-file',
        `${path} has version ${version}, this program knows ${VERSION}. Use the program that wrote it`,
      )
    // Names and values are kept as JSON.
    const owner = cell('SELECT value FROM records WHERE name = ?', JSON.stringify('receiver:address'))
    return typeof owner === 'string' ? readAddress(JSON.parse(owner), 'receiver:address') : undefined
  } finally {
    db.close()
  }
}
