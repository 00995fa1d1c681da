/** A certificate and its key: looked at before anyone connects, and refused with the fix. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { readSecretFile, readTextFile } from '../base/file.ts'

/** One certificate and one key, each as text or as a file. */
export type TlsOptions = {
  /** PEM: the certificate of this server first, then those that vouch for it. */
  readonly cert?: string
  /** PEM, not encrypted. */
  readonly key?: string
  readonly certFile?: string
  /** Only its owner may be able to use it. */
  readonly keyFile?: string
}

type Given = { readonly text: string; readonly field: string; readonly name: string }

/** @throws {ConfigError} for what is missing, is no PEM, has expired, does not fit together, or is open to others */
export function readTls(tls: TlsOptions): SecureContextOptions {
  const cert = given('tls.cert', tls.cert, tls.certFile, readTextFile)
  const key = given('tls.key', tls.key, tls.keyFile, readSecretFile)
  const certificate = certificateIn(cert)
  if (Date.parse(certificate.validTo) < Date.now()) {
    throw new ConfigError(cert.field, `${cert.name} expired on ${certificate.validTo}. Renew the certificate`)
  }
  if (!certificate.checkPrivateKey(keyIn(key))) {
    throw new ConfigError(
      key.field,
      `${key.name} is not the key of the first certificate in ${cert.name}. Name a key and its own certificate`,
    )
  }
  const options: SecureContextOptions = { cert: cert.text, key: key.text }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new ConfigError(cert.field, `${cert.name} cannot be used: ${messageOf(error)}`)
  }
  return options
}

function given(
  field: string,
  text: string | undefined,
  path: string | undefined,
  readFile: (path: string, field: string) => string,
): Given {
  if ((text === undefined) === (path === undefined)) {
    throw new ConfigError(
      field,
      `${text === undefined ? 'is missing' : 'is there twice'}. Give ${field} or ${field}File`,
    )
  }
  if (path === undefined) return { text: text ?? '', field, name: field }
  return { text: readFile(path, `${field}File`), field: `${field}File`, name: path }
}

function certificateIn({ text, field, name }: Given): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch {
    throw new ConfigError(
      field,
      `${name} does not begin with a certificate. It has to be PEM: -----BEGIN CERTIFICATE-----`,
    )
  }
}

function keyIn({ text, field, name }: Given): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    throw new ConfigError(
      field,
      /\bENCRYPTED\b/.test(text)
        ? `${name} is encrypted. Run \`openssl pkey -in KEY -out KEY.open\`, and keep the result from others`
        : `${name} does not hold a private key. It has to be PEM: -----BEGIN PRIVATE KEY-----`,
    )
  }
}
