import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

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
