// Our own end by kill -9, wherever it comes: a restart takes up what was on its way, and nothing is spent twice.
// Slots are about as long as the real ones: a process of a busy machine is up again before a blockhash is over.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { createKeyPairSignerFromPrivateKeyBytes } from '@solana/kit'
import { expect, test } from 'vitest'
import { decode } from '../dist/solana/journal-entries.js'
import { root } from './support/node.js'
import { type Cluster, MEMO_PROGRAM, startCluster } from './support/solana/index.js'
import { freshJournal, jitoOf } from './support/submitter.js'
import { until } from './support/until.js'

interface Line {
  readonly state: string
  readonly signatures?: readonly string[]
  readonly resumed?: boolean
  readonly open?: number
}

/** A submitter in a process of its own, and what it has printed so far. */
function child(o: object) {
  const file = join(root, 'test/support/submitter-child.mjs')
  const process_ = spawn(process.execPath, [file, JSON.stringify(o)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  createInterface({ input: process_.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) =>
    process_.once('close', (code, signal) => resolve(signal ?? code)),
  )
  return {
    lines,
    count: (state: string) => lines.filter((line) => line.state === state).length,
    ended,
    async kill() {
      process_.kill('SIGKILL')
      expect(await ended).toBe('SIGKILL')
    },
  }
}

async function place(cluster: Cluster) {
  const key = randomBytes(32)
  const payer = (await createKeyPairSignerFromPrivateKeyBytes(key)).address
  cluster.fund(payer, 10_000_000_000n)
  const journal = freshJournal()
  const o = { url: cluster.url, journal, key: key.toString('hex'), memoProgram: MEMO_PROGRAM, from: 0, count: 0 }
  return { payer, o, entries: () => decode(readFileSync(journal).subarray(33)).entries }
}

/** All that was ever written down as signed has landed, once, or was told to have expired, and nothing else; it cost what the ledger says. */
function expectOnce(cluster: Cluster, { payer, entries }: Awaited<ReturnType<typeof place>>): void {
  const expired = new Set(entries().map((entry) => entry.kind === 'ended' && entry.state === 'expired' && entry.id))
  const signed = entries().flatMap((entry) => {
    const signatures = entry.kind === 'built' ? entry.transactions.map(({ signature }) => signature) : []
    return expired.has(signatures[0] ?? '') ? [] : signatures
  })
  const landed = cluster.ledger.landed(payer).map(({ signature }) => signature)
  expect(landed.toSorted()).toEqual(signed.toSorted())
  expect(new Set(cluster.ledger.memos().values())).toEqual(new Set([1]))
  const spent = entries().reduce((sum, entry) => sum + (entry.kind === 'ended' ? BigInt(entry.spentLamports) : 0n), 0n)
  const { feeLamports, tipLamports } = cluster.ledger.spent(payer)
  expect(spent).toBe(feeLamports + tipLamports)
}

async function resumes(o: object, open: number): Promise<void> {
  const second = child(o)
  expect(await second.ended).toBe(0)
  expect(second.lines[0]).toMatchObject({ state: 'open', open })
  expect(second.lines.filter(({ state, resumed }) => state === 'landed' && resumed === true)).toHaveLength(open)
}

test('killed after journalling, before anything was sent', async () => {
  await using cluster = await startCluster({ slotMillis: 200 })
  const at = await place(cluster)
  // The one request goes for the blockhash.
  const first = child({ ...at.o, count: 4, rpc: { perSecond: 0.001, burst: 1 } })
  await until(() => first.count('built') === 4)
  await first.kill()
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(0)
  await resumes(at.o, 4)
  expectOnce(cluster, at)
})

test('killed after sending, before anything landed', async () => {
  await using cluster = await startCluster({ slotMillis: 0 })
  cluster.tick(2)
  const at = await place(cluster)
  const first = child({ ...at.o, count: 4 })
  await until(() => first.count('sent') === 4)
  await first.kill()
  expect(cluster.ledger.landed(at.payer)).toEqual([])
  cluster.run(20)
  await resumes(at.o, 4)
  expectOnce(cluster, at)
})

test('killed while the answers to its sends are lost', async () => {
  await using cluster = await startCluster({ slotMillis: 200 })
  const at = await place(cluster)
  const planned = [
    cluster.faults.add({ kind: 'replyLost', method: 'sendTransaction', probability: 1 }),
    cluster.faults.add({ kind: 'hang', method: 'getSignatureStatuses', probability: 1 }),
  ]
  const first = child({ ...at.o, count: 4 })
  await until(() => first.count('built') === 4 && cluster.requests.count({ method: 'sendTransaction' }) >= 4)
  await first.kill()
  for (const one of planned) one.remove()
  await resumes(at.o, 4)
  expectOnce(cluster, at)
})

test('killed after all has landed, before it knew', async () => {
  await using cluster = await startCluster({ slotMillis: 200 })
  const at = await place(cluster)
  const planned = cluster.faults.add({ kind: 'hang', method: 'getSignatureStatuses', probability: 1 })
  const first = child({ ...at.o, count: 4 })
  await until(() => cluster.ledger.memos().size === 4)
  await first.kill()
  planned.remove()
  await resumes(at.o, 4)
  expectOnce(cluster, at)
})

/** Two bundles of three transactions landed as such, each with its tip, and by no other way. */
function expectBundles(cluster: Cluster, at: Awaited<ReturnType<typeof place>>): void {
  expectOnce(cluster, at)
  const ids = cluster.ledger.landed(at.payer).map(({ bundleId }) => bundleId)
  const written = at.entries().flatMap((entry) => (entry.kind === 'built' ? [entry.bundleId] : []))
  expect([ids.length, new Set(ids)]).toEqual([6, new Set(written)])
  expect(cluster.ledger.spent(at.payer).tipLamports).toBe(4_000n)
  expect(cluster.requests.count({ method: 'sendTransaction' })).toBe(0)
}

test('killed after Jito bundles were journalled, before any was sent', async () => {
  await using cluster = await startCluster({ slotMillis: 200, jitoPerSecond: 100 })
  const at = await place(cluster)
  const o = { ...at.o, group: 3 }
  // The one request goes for the tip accounts.
  const first = child({ ...o, count: 6, jito: { url: cluster.region().url, perSecond: 0.001, burst: 1 } })
  await until(() => first.count('built') === 2)
  await first.kill()
  expect(cluster.requests.count({ method: 'sendBundle' })).toBe(0)
  await resumes({ ...o, jito: jitoOf(cluster) }, 2)
  expectBundles(cluster, at)
})

test('killed while the answers to its Jito bundles are lost', async () => {
  await using cluster = await startCluster({ slotMillis: 200, jitoPerSecond: 100 })
  const at = await place(cluster)
  const o = { ...at.o, group: 3, jito: jitoOf(cluster) }
  const planned = [
    cluster.faults.add({ kind: 'replyLost', method: 'sendBundle', probability: 1 }),
    cluster.faults.add({ kind: 'hang', method: 'getSignatureStatuses', probability: 1 }),
  ]
  const first = child({ ...o, count: 6 })
  await until(() => first.count('built') === 2 && cluster.requests.count({ method: 'sendBundle' }) >= 2)
  await first.kill()
  for (const one of planned) one.remove()
  await resumes(o, 2)
  expectBundles(cluster, at)
})

test('killed again and again, at any time, under faults', async () => {
  await using cluster = await startCluster({ slotMillis: 400 })
  const at = await place(cluster)
  for (const kind of ['replyLost', 'unavailable', 'tooMany', 'resetMidBody'] as const)
    cluster.faults.add({ kind, probability: 0.05 })
  for (let round = 0; round < 6; round++) {
    const one = child({ ...at.o, from: round * 100, count: 100 })
    const least = Math.random() * 100
    await until(() => one.lines.length > least, 30_000)
    await delay(Math.random() * 100)
    await one.kill()
  }
  cluster.faults.clear()
  const last = child(at.o)
  expect(await last.ended).toBe(0)
  expect(at.entries().filter(({ kind }) => kind === 'built').length).toBeGreaterThan(50)
  expectOnce(cluster, at)
})
