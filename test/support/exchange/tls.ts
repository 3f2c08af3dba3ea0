import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bits, contextual, integer, object, octets, sequence, set, time, utf8 } from './der.js'

/** A certificate authority of its own, made when it is asked for, with a certificate for loopback; nothing is kept. */
export interface TlsFiles {
  /** The authority's certificate in PEM, for `SSL_CERT_FILE`. */
  readonly caFile: string
  readonly ca: string
  readonly cert: string
  readonly key: string
  remove(): void
}

const ecdsaWithSha256 = () => sequence(object('1.2.840.10045.4.3.2'))

const name = (commonName: string) => sequence(set(sequence(object('2.5.4.3'), utf8(commonName))))

const extension = (oid: string, isCritical: boolean, value: Buffer) =>
  sequence(object(oid), ...(isCritical ? [Buffer.from([1, 1, 0xff])] : []), octets(value))

interface Wanted {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
}

/** An X.509 v3 certificate (RFC 5280, 4.1) in PEM. */
function certificate({ issuer, subject, publicKey, signer, extensions }: Wanted): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40
  const day = 86_400_000
  const validity = sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 30 * day)))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(
    contextual(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256(),
    name(issuer),
    validity,
    name(subject),
    spki,
    contextual(3, sequence(...extensions)),
  )
  const signature = createSign('sha256').update(body).sign(signer)
  const whole = sequence(body, ecdsaWithSha256(), bits(signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

export function makeTls(): TlsFiles {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = 'velox-engine test authority'
  const ca = certificate({
    issuer,
    subject: issuer,
    publicKey: authority.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension('2.5.29.19', true, sequence(Buffer.from([1, 1, 0xff]))), // basicConstraints: an authority
      extension('2.5.29.15', true, Buffer.from([3, 2, 1, 0x06])), // keyUsage: keyCertSign, cRLSign
    ],
  })
  const loopback = [contextual(2, Buffer.from('localhost'), true), contextual(7, Buffer.from([127, 0, 0, 1]), true)]
  const cert = certificate({
    issuer,
    subject: 'localhost',
    publicKey: server.publicKey,
    signer: authority.privateKey,
    extensions: [
      extension('2.5.29.17', false, sequence(...loopback)), // subjectAltName
      extension('2.5.29.37', false, sequence(object('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
    ],
  })
  const folder = mkdtempSync(join(tmpdir(), 'velox-exchange-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca)
  const key = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { caFile, ca, cert, key, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
