import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getBase58Decoder } from '@solana/kit'
import { onTestFinished } from 'vitest'

const base58 = getBase58Decoder()

/** A new key: 32 bytes of the secret, then 32 of the address. */
export function pairBytes(): Buffer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(16)
  return Buffer.concat([secret, publicKey.export({ format: 'der', type: 'spki' }).subarray(12)])
}

/** A file with this text for as long as the test runs. */
export function keyFile(text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'velox-key-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'id.json')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

export const asKeyFile = (pair: Uint8Array): string => JSON.stringify([...pair])

/** Whether a text says anything of a secret: four of its numbers in a row, its base58, hex or base64. */
export function tells(text: string, pair: Buffer): boolean {
  const secret = pair.subarray(0, 32)
  const encoded = [base58.decode(pair), base58.decode(secret)]
  const texts = [...encoded, secret.toString('hex'), secret.toString('base64').slice(0, 40)]
  const rows = Array.from({ length: secret.length - 3 }, (_, i) => [...secret.subarray(i, i + 4)].join(',\\s*'))
  const numbers = rows.some((row) => new RegExp(`\\b${row}\\b`).test(text))
  return numbers || texts.some((one) => text.includes(one))
}

/** Whether a text says anything of a secret text: as it is, or in hex, base64, base58, or as the numbers of its bytes. */
export function tellsText(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret)
  // Base64 within a longer text, such as `name:password`, has one of three forms.
  const within = [0, 1, 2].map((before) => {
    const coded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return coded.slice(before === 0 ? 0 : 4, 4 * Math.floor((before + bytes.length) / 3))
  })
  const forms = [secret, encodeURIComponent(secret), bytes.toString('hex'), base58.decode(bytes), ...within]
  return forms.some((form) => text.includes(form)) || new RegExp([...bytes].join(',\\s*')).test(text)
}
