import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keypairFile, type Signer } from 'velox-engine/solana'

/** A new key, by way of a file as `solana-keygen` writes it. */
export function keyOf(): Signer {
  const folder = mkdtempSync(join(tmpdir(), 'velox-key-'))
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const bytes = [d, x].flatMap((half) => [...Buffer.from(half as string, 'base64url')])
  const path = join(folder, 'key.json')
  writeFileSync(path, JSON.stringify(bytes), { mode: 0o600 })
  const signer = keypairFile(path)
  rmSync(folder, { recursive: true })
  return signer
}
