/** What a server sells: by a file with routes, or one thing by options. */
import { dirname, resolve } from 'node:path'
import { ConfigError } from '../../base/faults.ts'
import { readTextFile } from '../../base/file.ts'
import { checkRoutes, methods, type Routes } from '../../proxy/routes.ts'
import type { Receiver } from '../../receiver/receiver.ts'
import { MistakesError } from './json-file.ts'
import { readRoutes } from './routes-file.ts'

export type GoodsOptions = { readonly upstream?: string; readonly files?: string; readonly price?: bigint }

/** Can be looked at again, for what has changed since. */
export type Goods = {
  /** @throws {ConfigError} | {@link MistakesError} */
  read(): Routes
  /** The one that may change. */
  readonly file: string | undefined
}

/** @throws {ConfigError} unless exactly one thing is named, with its price */
export function goodsOf(file: string | undefined, { upstream, files, price }: GoodsOptions): Goods {
  const given = [file, upstream, files].filter((one) => one !== undefined)
  if (given.length !== 1) {
    const problem =
      given.length === 0 ? 'is needed: what is sold' : 'is not alone: there is more than one thing to sell'
    throw new ConfigError('CONFIG', `${problem}. Name a file with routes, or --upstream URL, or --files FOLDER`)
  }
  if (file !== undefined) {
    if (price !== undefined)
      throw new ConfigError('--price', `is for --upstream and --files. Write prices into ${file}`)
    return { read: () => readRoutesFile(file), file }
  }
  if (price === undefined) throw new ConfigError('--price', 'is needed: base units of the token for each request')
  const routes: Routes =
    upstream === undefined
      ? { 'GET /*': { price, files: resolve(files ?? '') } }
      : { '/*': { price: Object.fromEntries(methods.map((method) => [method, price])), upstream } }
  return { read: () => routes, file }
}

/** @throws {MistakesError} with what only a look at each route shows: folders that are missing, headers that may not be sent */
export function requireSellable(file: string | undefined, routes: Routes, receiver: Receiver): void {
  const mistakes: string[] = []
  for (const [pattern, route] of Object.entries(routes)) {
    try {
      for (const { source } of checkRoutes([[pattern, route]], receiver)) void source.close()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      mistakes.push(error.message)
    }
  }
  if (mistakes.length > 0) throw new MistakesError(file ?? 'What is sold', mistakes)
}

function readRoutesFile(file: string): Routes {
  const text = readTextFile(file, 'CONFIG')
  const mistakes: string[] = []
  const routes = readRoutes(text, dirname(resolve(file)), (field, problem) => mistakes.push(`${field}: ${problem}`))
  if (mistakes.length > 0) throw new MistakesError(file, mistakes)
  return routes
}
