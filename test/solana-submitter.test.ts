// The submitter against a local Solana: what it says became of records is what the chain's ledger says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSigner, type KeyPairSigner } from '@solana/kit'
import { pipeline, poisson } from 'velox-engine'
import { createSubmitter, type Outcome, type Submitter, type SubmitterOptions } from 'velox-engine/solana'
import { afterAll, expect, test } from 'vitest'
import { type KitBuilderOptions, kitBuilder } from './support/kit-builder.js'
import { type Cluster, type Fault, startCluster } from './support/solana/index.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-submitter-'))
afterAll(() => rmSync(folder, { recursive: true }))

let journals = 0
const rowsOf = (count: number, from = 0) => Array.from({ length: count }, (_, i) => ({ id: from + i }))

async function submitterOf(
  cluster: Cluster,
  o: Partial<SubmitterOptions> & { builder?: KitBuilderOptions; payer?: KeyPairSigner } = {},
): Promise<{ submitter: Submitter; payer: KeyPairSigner }> {
  const { builder, payer = await generateKeyPairSigner(), ...options } = o
  cluster.fund(payer.address, 10_000_000_000n)
  const submitter = await createSubmitter({
    rpc: { url: cluster.url, perSecond: 1_000 },
    template: kitBuilder(payer, builder),
    limits: { maxLamports: 10_000_000_000n },
    journal: join(folder, `${++journals}.journal`),
    pollMillis: 50,
    resendMillis: 200,
    ...options,
  })
  return { submitter, payer }
}

const states = (outcomes: readonly Outcome[]) => outcomes.map(({ state }) => state)

/** What was told of all records is what happened: each landed at most once, and where it was told, and the money is the same. */
function expectTrue(cluster: Cluster, payer: KeyPairSigner, submitter: Submitter, outcomes: readonly Outcome[]): void {
  const memos = cluster.ledger.memos()
  for (const { state, rows } of outcomes)
    for (const { id } of rows) expect([id, memos.get(String(id)) ?? 0]).toEqual([id, state === 'landed' ? 1 : 0])
  const { feeLamports, tipLamports } = cluster.ledger.spent(payer.address)
  const spent = outcomes.reduce((sum, o) => sum + ('spentLamports' in o ? o.spentLamports : 0n), 0n)
  expect(spent).toBe(feeLamports + tipLamports)
  expect(submitter.stats()).toMatchObject({ inFlight: 0, spentLamports: spent, windowLamports: spent })
}

test('records land, once each, and cost what the ledger says', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    priorityFee: 1_000n,
    builder: { recordsPerTransaction: 3 },
  })
  const all: string[] = []
  const reading = (async () => {
    for await (const { state } of submitter.outcomes({ all: true })) all.push(state)
  })()
  const outcomes = await submitter.submit(rowsOf(20))
  expect(states(outcomes)).toEqual(Array(7).fill('landed'))
  expect(outcomes.flatMap(({ rows }) => rows)).toEqual(rowsOf(20))
  expectTrue(cluster, payer, submitter, outcomes)
  await submitter.close()
  await reading
  for (const state of ['built', 'sent', 'landed']) expect(all.filter((one) => one === state)).toHaveLength(7)
  expect(submitter.metrics.snapshot()).toMatchObject({ processed: 7, errors: 0, dropped: 0 })
})

test('a pipeline of bundles ends in it, and waits for room', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    builder: { recordsPerTransaction: 4 },
    limits: { maxLamports: 10_000_000_000n, maxInFlight: 8 },
  })
  const outcomes: Outcome[] = []
  const reading = (async () => {
    for await (const outcome of submitter) outcomes.push(outcome)
  })()
  const run = await pipeline('send')
    .from(poisson({ perSecond: 100_000, count: 200, seed: 7, pace: 'max' }))
    .trades()
    .transactions()
    .bundle()
    .to(submitter)
    .start()
  const { balanced, stages } = await run.done()
  await submitter.close()
  await reading
  const records = stages.find(({ name }) => name === 'transactions')?.out ?? 0
  expect(balanced).toBe(true)
  expect(new Set(states(outcomes))).toEqual(new Set(['landed']))
  expect(outcomes.reduce((sum, o) => sum + o.records, 0)).toBe(records)
  expectTrue(cluster, payer, submitter, outcomes)
  expect(submitter.stats().refused).toBe(0)
})

test('its sink takes bundles and nothing else', async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter } = await submitterOf(cluster)
  const trades = pipeline('p')
    .from(poisson({ perSecond: 1, count: 1 }))
    .trades()
  expect(() => trades.to(submitter as never)).toThrow('sink: expected a sink of Trade, got a sink of Bundle')
  await submitter.close()
})

// ---- faults: each ends as it should, and the ledger agrees

const FAULTS: readonly [string, Fault][] = [
  ['429 with Retry-After', { kind: 'tooMany', method: 'sendTransaction', retryAfterSeconds: 1, next: 2 }],
  ['429 without', { kind: 'tooMany', method: 'sendTransaction', next: 2 }],
  ['503', { kind: 'unavailable', method: 'sendTransaction', next: 3 }],
  ['503 for everything', { kind: 'unavailable', next: 4 }],
  ['a hang', { kind: 'hang', method: 'sendTransaction', next: 2 }],
  ['a slow answer', { kind: 'slow', method: 'sendTransaction', delayMillis: 900, next: 3 }],
  ['a reset in the middle of the answer', { kind: 'resetMidBody', method: 'sendTransaction', next: 3 }],
  ['an answer lost after it was accepted', { kind: 'replyLost', method: 'sendTransaction', next: 3 }],
  ['statuses that are not told', { kind: 'replyLost', method: 'getSignatureStatuses', next: 3 }],
  [
    'a node that is unwell',
    { kind: 'rpcError', method: 'sendTransaction', code: -32005, message: 'Node is behind', next: 2 },
  ],
  ['transactions lost on the way to the leader', { kind: 'dropTransaction', next: 3 }],
]

test.each(FAULTS)('%s: all land, once', async (_, fault) => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { submitter, payer } = await submitterOf(cluster, {
    rpc: { url: cluster.url, perSecond: 1_000, timeoutMillis: 500 },
  })
  const planned = cluster.faults.add(fault)
  const outcomes = await submitter.submit(rowsOf(6))
  expect(planned.hits).toBeGreaterThan(0)
  expect(states(outcomes)).toEqual(Array(6).fill('landed'))
  expectTrue(cluster, payer, submitter, outcomes)
  await submitter.close()
})
