/** Of this package: the folder is as deep in `dist/` as in `src/`. */
import { readFileSync } from 'node:fs'
import { jsonObject, text } from '../base/read.ts'

export function version(): string {
  const source = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return text(jsonObject(source, 'package.json')['version'], 'version')
}
