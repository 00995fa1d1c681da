/**
 * Where on its upstream a request goes, byte for byte, and where a redirect of
 * the upstream leads here.
 *
 * A server behind ours may read a path in another way than the router that
 * priced it: resolve dots, decode twice, take an encoded slash or a backslash
 * for a slash. A path that can be read in two ways is not there.
 */

export type Base = {
  readonly origin: string
  /** Of the configured URL, without a slash at its end. */
  readonly path: string
  /** How our own paths begin, where the upstream does not know that; or empty. */
  readonly strip: string
}

/** Path and query on the upstream; undefined: there is nothing for this target. */
export function pathOn({ path, strip }: Base, target: string): string | undefined {
  const [, own = '', query = ''] = /^(\/[^?#]*)(\?[^#]*)?$/.exec(target) ?? []
  if (!isPlain(own) || !isBelow(strip, own)) return undefined
  return `${path}${own.slice(strip.length)}${query}`.replace(/^(?!\/)/, '/')
}

/** Where a redirect leads: to our own path for what is below the base, else wherever the upstream said. */
export function locationFrom(base: Base, location: string, asked: string): string {
  const from = `${base.origin}${asked}`
  if (!URL.canParse(location, from)) return location
  const { origin, pathname, search, hash } = new URL(location, from)
  const own = `${base.strip}${pathname.slice(base.path.length)}` || '/'
  const isOurs = origin === base.origin && isBelow(base.path, pathname) && isPlain(own)
  return isOurs ? `${own}${search}${hash}` : location
}

/** Whether `path` is `folder` or something in it. Neither has a slash too many. */
export function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

/** Whether everyone who reads this path finds the same segments in it, and none that leads up. */
function isPlain(path: string): boolean {
  if (!path.startsWith('/') || path.includes('//')) return false
  const read = decode(path)?.split('/')
  return read?.length === path.split('/').length && read.every(isSegment)
}

/** ASCII without control characters and backslashes; and neither dots nor nothing before parameters and spaces, which some leave out. */
function isSegment(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]*$/.test(text) && !/^\.{0,2} *;|^\.\.? *$/.test(text)
}

/** More rounds than any server decodes, and few enough that a long path costs nothing. */
const ROUNDS = 4

/** As one who decodes again and again would read it, ASCII only; undefined for a path that does not come to an end. */
function decode(path: string): string | undefined {
  let read = path
  for (let round = 0; round < ROUNDS; round++) {
    const next = read.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    if (next === read) return read
    read = next
  }
  return undefined
}
