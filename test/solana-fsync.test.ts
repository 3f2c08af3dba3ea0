// What the journal promises of the disk, by the system's own account of the calls that a submitter made.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyPairSignerFromPrivateKeyBytes } from '@solana/kit'
import { expect, onTestFinished, test } from 'vitest'
import { root, run } from './support/node.js'
import { MEMO_PROGRAM, startCluster } from './support/solana/index.js'
import { freshJournal } from './support/submitter.js'

const hasStrace = spawnSync('strace', ['-V']).status === 0
const COUNT = 5

/** What a submitter that sends some records one after the other writes, syncs and sends, in order. */
async function callsOf(journal: object | string): Promise<readonly string[]> {
  await using cluster = await startCluster({ slotMillis: 20 })
  const key = randomBytes(32)
  cluster.fund((await createKeyPairSignerFromPrivateKeyBytes(key)).address, 10_000_000_000n)
  const folder = mkdtempSync(join(tmpdir(), 'velox-strace-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const trace = join(folder, 'trace')
  const o = { url: cluster.url, journal, key: key.toString('hex'), memoProgram: MEMO_PROGRAM, from: 0, count: COUNT }
  const child = [
    process.execPath,
    join(root, 'test/support/submitter-child.mjs'),
    JSON.stringify({ ...o, oneByOne: true }),
  ]
  const flags = ['-f', '-qq', '-s', '1000', '-e', 'trace=fdatasync,fsync,write,writev,sendto,sendmsg', '-o', trace]
  const { status, stderr } = await run('strace', [...flags, ...child])
  expect([status, stderr]).toEqual([0, ''])
  expect(cluster.ledger.memos().size).toBe(COUNT)
  const named = (line: string) => {
    if (line.includes('\\"kind\\":\\"built\\"')) return 'built'
    if (line.includes('\\"method\\":\\"sendTransaction\\"')) return 'send'
    return /f(?:data)?sync.* = 0$/.test(line) ? 'sync' : undefined
  }
  const calls = readFileSync(trace, 'utf8').split('\n').map(named)
  return calls.filter((call) => call !== undefined)
}

test.skipIf(!hasStrace)('nothing is sent before its entry is on the disk', async () => {
  const calls = await callsOf(freshJournal())
  const sends = [...calls.keys()].filter((i) => calls[i] === 'send')
  expect(calls.filter((call) => call === 'built')).toHaveLength(COUNT)
  expect(sends.length).toBeGreaterThanOrEqual(COUNT)
  for (const at of sends) expect(calls.slice(calls.lastIndexOf('built', at), at)).toContain('sync')
})

test.skipIf(!hasStrace)('with fsync: false the system writes to the disk when it likes', async () => {
  const calls = await callsOf({ path: freshJournal(), fsync: false })
  expect(calls.filter((call) => call === 'built')).toHaveLength(COUNT)
  expect(calls).not.toContain('sync')
})
