/** A server's vouchers on their way to a watcher on another machine: what sends them, and what takes them. */
import type { Command } from 'commander'
import { createServer, type Server } from 'node:http'
import { ConfigError } from '../../base/faults.ts'
import { readSecretFile } from '../../base/file.ts'
import type { Log } from '../../base/log.ts'
import { createFeed, type Feed } from '../../receiver/watch-feed.ts'
import { createIntake, type TakeLedgers } from '../../receiver/watch-intake.ts'
import type { Store } from '../../store/store.ts'
import { named } from './as-options.ts'
import { listen, readListenAt } from './listen.ts'
import { option } from './options.ts'

export type FeedOptions = { readonly feedTo?: string; readonly feedSecretFile?: string }
export type IntakeOptions = { readonly feed?: string; readonly feedSecretFile?: string }

export function withFeedOptions(command: Command): Command {
  return command
    .addOption(option('--feed-to <url>', 'send vouchers to a `farthing watch --feed` on another machine (https)'))
    .addOption(option('--feed-secret-file <file>', 'what signs them, in a file that only you can read'))
}

export function withIntakeOptions(command: Command): Command {
  return command
    .addOption(
      option('--feed <host:port>', 'take vouchers there from a server with --feed-to, instead of its state file'),
    )
    .addOption(option('--feed-secret-file <file>', 'what they are signed with, in a file that only you can read'))
}

/** undefined: nothing is sent. @throws {ConfigError} naming the option that is wrong */
export function feedOf({ feedTo: url, feedSecretFile: file }: FeedOptions, log: Log): Feed | undefined {
  if (url === undefined && file === undefined) return undefined
  if (url === undefined) throw new ConfigError('--feed-to', 'is needed with --feed-secret-file')
  const secret = secretIn(file, '--feed-to')
  return named({ url: '--feed-to', secret: '--feed-secret-file' }, () => createFeed({ url, secret, log }))
}

/** The store as `work` shall use it, so that what it writes is sent. */
export async function withFeed<T>(
  feed: Feed | undefined,
  store: Store,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  if (!feed) return work(store)
  try {
    return await work(feed.tap(store))
  } finally {
    await feed.stop()
  }
}

/** Listens until it is closed. @throws {ConfigError} naming the option that is wrong */
export async function takeFeed(
  { feed, feedSecretFile: file }: IntakeOptions,
  take: TakeLedgers,
): Promise<Server | undefined> {
  if (feed === undefined) return undefined
  const secret = secretIn(file, '--feed')
  const intake = named({ secret: '--feed-secret-file' }, () => createIntake(secret, take))
  return listen(createServer(intake), readListenAt(feed, '--feed'))
}

function secretIn(file: string | undefined, needs: string): string {
  if (file === undefined)
    throw new ConfigError('--feed-secret-file', `is needed with ${needs}: both ends have the same`)
  return readSecretFile(file, '--feed-secret-file')
}
