import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSigner, type KeyPairSigner } from '@solana/kit'
import {
  createSubmitter,
  type JitoOptions,
  keypairFile,
  type Outcome,
  type Row,
  type Signer,
  type Submitter,
  type SubmitterOptions,
} from 'velox-engine/solana'
import { afterAll, expect } from 'vitest'
import { type KitBuilderOptions, kitBuilder } from './kit-builder.js'
import type { Cluster } from './solana/index.js'
import { asKeyFile, keyFile, pairBytes } from './solana-key.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-submitter-'))
afterAll(() => rmSync(folder, { recursive: true }))

let journals = 0
export const freshJournal = (): string => join(folder, `${++journals}.journal`)

export const rowsOf = (count: number, from = 0): readonly Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: from + i }))

/** A new key, by way of a file. */
export const keyOf = (): Signer => keypairFile(keyFile(asKeyFile(pairBytes())))

/** A submitter by kit's transactions, with a payer that has 10 SOL. */
export async function submitterOf(
  cluster: Cluster,
  o: Partial<SubmitterOptions> & { builder?: KitBuilderOptions; payer?: KeyPairSigner } = {},
): Promise<{ submitter: Submitter; payer: KeyPairSigner }> {
  const { builder, payer = await generateKeyPairSigner(), ...options } = o
  cluster.fund(payer.address, 10_000_000_000n)
  const submitter = await createSubmitter({
    rpc: { url: cluster.url, perSecond: 1_000 },
    template: kitBuilder(payer, builder),
    limits: { maxLamports: 10_000_000_000n },
    journal: freshJournal(),
    pollMillis: 50,
    resendMillis: 200,
    ...options,
  })
  return { submitter, payer }
}

/** The same through the block engine's first region, which takes a hundred requests a second where it is started so. */
export const jitoOf = (cluster: Cluster): JitoOptions => ({ url: cluster.region().url, perSecond: 100 })

export const states = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ state }) => state)

/** What was told of all records is what happened: each landed at most once, and where it was told, and the money is the same. */
export function expectTrue(cluster: Cluster, payer: string, submitter: Submitter, outcomes: readonly Outcome[]): void {
  const memos = cluster.ledger.memos()
  for (const { state, rows } of outcomes)
    for (const { id } of rows) expect([id, memos.get(String(id)) ?? 0]).toEqual([id, state === 'landed' ? 1 : 0])
  const { feeLamports, tipLamports } = cluster.ledger.spent(payer)
  const spent = outcomes.reduce((sum, o) => sum + ('spentLamports' in o ? o.spentLamports : 0n), 0n)
  expect(spent).toBe(feeLamports + tipLamports)
  expect(submitter.stats()).toMatchObject({ inFlight: 0, spentLamports: spent, windowLamports: spent })
}
