/** Certificates as an operator has them: files made by openssl. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificate = {
  readonly files: { readonly certFile: string; readonly keyFile: string }
  readonly texts: { readonly cert: string; readonly key: string }
}

/** A self-signed certificate for 127.0.0.1, good for two days. */
export function newCertificate(folder: string, name: string): Certificate {
  const certFile = join(folder, `${name}.crt`)
  const keyFile = join(folder, `${name}.key`)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  openssl('req', '-x509', ...curve, ...subject, '-days', '2', '-keyout', keyFile, '-out', certFile)
  chmodSync(keyFile, 0o600)
  const texts = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  return { files: { certFile, keyFile }, texts }
}

/** The same certificate, as it will be when its time is over. */
export function expired({ files: { certFile, keyFile } }: Certificate): string {
  const path = `${certFile}.expired`
  openssl('x509', '-in', certFile, '-signkey', keyFile, '-days', '-1', '-out', path)
  return path
}

/** The same key, under a password. */
export function encrypted({ files: { keyFile } }: Certificate): string {
  const path = `${keyFile}.encrypted`
  openssl('pkey', '-in', keyFile, '-aes256', '-passout', 'pass:x', '-out', path)
  chmodSync(path, 0o600)
  return path
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' })
}
