/**
 * Files, found before they are priced: what is not there costs nothing.
 *
 * An answer without content (304, 412, 416) gives its charge back; a part of a
 * file (206) costs as much as the whole.
 */
import { constants, realpathSync, statSync } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, dirname, join, relative, sep } from 'node:path'
import onHeaders from 'on-headers'
import send from 'send'
import { ConfigError } from '../base/faults.ts'
import type { Paid } from '../receiver/sale.ts'
import type { Find } from './visit.ts'
import { sendProblem } from './write.ts'

type Place = { readonly root: string; readonly path: string }

/** @throws {ConfigError} if there is no such file */
export function serveFile(file: string, field: string): Find {
  const path = realPlace(file, 'file', field)
  const place = { root: dirname(path), path: basename(path) }
  return () => (request, response, paid) => sendFile(request, response, place, paid)
}

/** @throws {ConfigError} if there is no such folder */
export function serveFiles(folder: string, field: string): Find {
  const root = realPlace(folder, 'folder', field)
  return async ({ params }) => {
    const path = await findInside(root, params['*'] ?? '')
    return path === undefined
      ? undefined
      : (request, response, paid) => sendFile(request, response, { root, path }, paid)
  }
}

function realPlace(path: string, kind: 'file' | 'folder', field: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (kind === 'file' ? stats?.isFile() : stats?.isDirectory()) return realpathSync(path)
  throw new ConfigError(field, `${path} is not a ${kind}. Name one that exists`)
}

/** The path below `root` of a file that may be seen; undefined: there is none. */
async function findInside(root: string, name: string): Promise<string | undefined> {
  if (!name.split('/').every(isVisible)) return undefined
  try {
    const real = await realpath(join(root, name))
    const path = relative(root, real)
    if (!path.split(sep).every(isVisible) || !(await stat(real)).isFile()) return undefined
    await access(real, constants.R_OK)
    return path
  } catch (error) {
    if (error instanceof Error && 'code' in error && absent.has(error.code)) return undefined
    throw error
  }
}

const absent = new Set<unknown>(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES'])

function isVisible(segment: string): boolean {
  return segment !== '' && !segment.startsWith('.') && !/[\\/\0]/.test(segment)
}

/** Resolves when the answer is out. @throws what keeps the file from being read, so that its charge is given back */
function sendFile(request: IncomingMessage, response: ServerResponse, place: Place, paid?: Paid): Promise<void> {
  const { root, path } = place
  // Registered after the receipt's listener, and so called before it.
  onHeaders(response, () => {
    if (withoutContent.has(response.statusCode)) paid?.spend(0n)
  })
  const encoded = path.split(sep).map(encodeURIComponent).join('/')
  return new Promise((resolve, reject) => {
    response.once('close', resolve)
    send(request, encoded, { root, index: false, dotfiles: 'allow', cacheControl: paid === undefined })
      .on('error', (error: Error & { status?: number; headers?: Record<string, string> }) => {
        const { status = 500, headers } = error
        if (!withoutContent.has(status)) reject(error)
        else sendProblem(response, status, 'Ask again without conditions and ranges; nothing was charged.', headers)
      })
      .pipe(response)
  })
}

const withoutContent = new Set([304, 412, 416])
