// The Solana of the examples: the local one that the tests use, in a process of its own, and a key file that it has funded.
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { keypairFile, type Signer } from 'velox-engine/solana'

export interface LocalSolana {
  readonly folder: string
  readonly signer: Signer
  readonly url: string
  readonly wsUrl: string
  readonly jitoUrl: string
  /** Asks what it knows: `ledger.landed`, `ledger.spent`. */
  ask<T>(path: string, ...args: readonly unknown[]): Promise<T>
  close(): void
}

/** A new key as `solana-keygen` writes it: 64 numbers, for its owner's eyes. */
function newKeyFile(folder: string): string {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const bytes = [d, x].flatMap((half) => [...Buffer.from(half as string, 'base64url')])
  const path = join(folder, 'key.json')
  writeFileSync(path, JSON.stringify(bytes), { mode: 0o600 })
  return path
}

export async function localSolana(...flags: readonly string[]): Promise<LocalSolana> {
  const folder = mkdtempSync(join(tmpdir(), 'velox-solana-'))
  const signer = keypairFile(newKeyFile(folder))
  const program = new URL('../solana/main.js', import.meta.url).pathname
  const fund = ['--fund', `${signer.address}=10000000000`]
  const child = spawn(process.execPath, [program, '--until-stdin-ends', '--slot-millis', '50', ...fund, ...flags])
  child.stderr.pipe(process.stderr)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { nodes, regions, control } = JSON.parse(line) as {
    nodes: [{ url: string; wsUrl: string }]
    regions: [{ url: string }]
    control: string
  }
  return {
    folder,
    signer,
    url: nodes[0].url,
    wsUrl: nodes[0].wsUrl,
    jitoUrl: regions[0].url,
    async ask<T>(path: string, ...args: readonly unknown[]) {
      const answer = await fetch(`${control}/${path}`, { method: 'POST', body: JSON.stringify(args) })
      return (await answer.json()) as T
    },
    close() {
      child.stdin.end()
      rmSync(folder, { recursive: true })
    },
  }
}
