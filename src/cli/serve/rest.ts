/** The REST interface of a server: where it is, and who may administer. */
import { ConfigError } from '../../base/faults.ts'
import { createGateway, type User } from '../../gateway/gateway.ts'
import type { Mount, Routes, Run } from '../../proxy/proxy.ts'
import type { AnyRail } from '../../receiver/rail.ts'
import type { Receiver } from '../../receiver/receiver.ts'
import { readSecretFile } from '../../base/file.ts'

export type RestOptions = {
  readonly rest: boolean
  readonly usersFile?: string
  readonly adminHost?: readonly string[]
  readonly closeWithoutProof?: boolean
}

/** With what the users file says. */
export type Rest = RestOptions & { readonly users: readonly User[] }

/** Read before anything is started. @throws {ConfigError} for options that would have no effect */
export function readRest(options: RestOptions): Rest {
  const { rest, usersFile, adminHost, closeWithoutProof } = options
  const field = [
    ['--users-file', usersFile],
    ['--admin-host', adminHost],
    ['--close-without-proof', closeWithoutProof],
  ].find(([, value]) => value !== undefined)
  if (!rest && field) throw new ConfigError(String(field[0]), 'is for the REST interface. Leave it out, or --no-rest')
  return { ...options, users: usersFile === undefined ? [] : readUsers(usersFile) }
}

/** What is served beside the routes; undefined where no rail is closed over REST. @throws {ConfigError} */
export function restMount(receiver: Receiver, options: Rest): Mount | undefined {
  const { rest, users, adminHost = [], closeWithoutProof = false } = options
  if (rest && receiver.rails.some(isClosedOverRest)) {
    return createGateway(receiver, { users, hosts: adminHost, closeWithoutProof })
  }
  if (users.length === 0 && !closeWithoutProof) return undefined
  throw new ConfigError(
    '--users-file',
    'and --close-without-proof are for the REST interface, which needs the rail rdn. Name its --contract',
  )
}

/** The original answered one more address, at the root. Whoever sells something there does. */
export function withLiveness(routes: Routes, mount: Mount | undefined): Routes {
  if (!mount || isList(routes)) return routes
  const run: Run = (request, response) => mount.serve(request, response)
  return { 'GET /cm': { price: { free: true }, run }, ...routes }
}

function isList(routes: Routes): routes is Extract<Routes, readonly unknown[]> {
  return Array.isArray(routes)
}

function isClosedOverRest({ dialect }: AnyRail): boolean {
  return dialect.closing !== 'by payment'
}

/** Lines `name:hash`; empty lines, and those that begin with #, are for people. @throws {ConfigError} */
function readUsers(file: string): User[] {
  const lines = readSecretFile(file, '--users-file').split(/\r?\n/)
  const users = lines.flatMap((line, index): User[] => {
    if (/^\s*(#|$)/.test(line)) return []
    const [, name, password] = /^([^:\s]+):(\$scrypt\$\S+)\s*$/.exec(line) ?? []
    if (name !== undefined && password !== undefined) return [{ name, password }]
    // Not repeated: it may be a password.
    throw new ConfigError(
      '--users-file',
      `line ${index + 1} of ${file} is not name:hash. \`farthing keys password-hash NAME\` prints one`,
    )
  })
  if (users.length > 0) return users
  throw new ConfigError(
    '--users-file',
    `${file} names nobody. \`farthing keys password-hash NAME\` prints a line for it`,
  )
}
