// The journal: what was appended is there after any end, and what a crash tore is cut off; damage is told.
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { Journal } from '../dist/solana/journal.js'
import { decode, encode, type JournalEntry } from '../dist/solana/journal-entries.js'
import { Needed, recovered } from '../dist/solana/recovery.js'
import { rejected } from './support/errors.js'
import { script } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-journal-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `${++files}.journal`)

const built = (id: string, more: object = {}): JournalEntry => ({
  kind: 'built',
  at: 1,
  transactions: [{ signature: id, base64: `${id}==`, records: 1, lamports: '5000', tipLamports: '1000' }],
  lastValidBlockHeight: '150',
  ...more,
})
const ended = (id: string, spent = '0'): JournalEntry => ({
  kind: 'ended',
  at: 2,
  id,
  state: 'landed',
  spentLamports: spent,
})

/** Each entry is a write of its own. */
async function written(entries: readonly JournalEntry[]): Promise<string> {
  const path = fresh()
  const journal = await Journal.open(path, false)
  for (const entry of entries) await journal.append(entry)
  await journal.close()
  return path
}

async function read(path: string): Promise<readonly JournalEntry[]> {
  const journal = await Journal.open(path, false)
  await journal.close()
  return journal.entries
}

test('what was appended is there when it is opened again, in order', async () => {
  const entries = Array.from({ length: 500 }, (_, i) => built(`s${i}`))
  const path = fresh()
  const journal = await Journal.open(path, true)
  await Promise.all(entries.map((entry) => journal.append(entry)))
  await journal.close()
  expect(await read(path)).toEqual(entries)
  expect(readFileSync(path, 'utf8')).toMatch(/^velox-engine submitter journal 1\n/)
})

test('wherever a crash cuts it off, all whole entries are there and it goes on behind them', async () => {
  const entries = [built('a'), ended('a'), built('b')]
  const path = await written(entries)
  const whole = readFileSync(path)
  const ends = entries.map((_, i) => 33 + Buffer.concat(entries.slice(0, i + 1).map((one) => encode([one]))).length)
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length))
    const journal = await Journal.open(path, false)
    expect(journal.entries).toEqual(entries.filter((_, i) => (ends[i] as number) <= length))
    await journal.append(built('z'))
    await journal.close()
    expect((await read(path)).at(-1)).toEqual(built('z'))
  }
})

test('a tail of other bytes, as a power cut leaves it, is cut off too', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400, size: 'max' }), async (tail) => {
      const path = await written([built('a')])
      appendFileSync(path, tail)
      expect(await read(path)).toEqual([built('a')])
    }),
    { numRuns: 30 },
  )
})

test('a damaged entry with whole ones behind it is no crash: it is told, with its place', async () => {
  const path = await written([built('a'), built('b')])
  const bytes = readFileSync(path)
  bytes[60] = (bytes[60] as number) ^ 1
  writeFileSync(path, bytes)
  const error = await rejected(Journal.open(path, false))
  expect(error).toMatchObject({ code: 'VELOX_CORRUPT_DATA' })
  expect(error.message).toContain('a damaged one at byte 33, with whole ones behind it')
})

test('what was written at once is whole or torn: pages that a power cut left out of order are no damage', async () => {
  const path = fresh()
  const journal = await Journal.open(path, true)
  await journal.append(built('a'))
  const before = readFileSync(path).length
  await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append(built(`b${i}`))))
  await journal.close()
  const bytes = readFileSync(path)
  for (const page of [before, before + 1_000, bytes.length - 2_000]) {
    const torn = Buffer.from(bytes)
    torn.fill(0, page, page + 500)
    writeFileSync(path, torn)
    expect(await read(path)).toEqual([built('a')])
  }
})

test('decoding what was never encoded finds nothing and doesn’t throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
      expect(decode(Buffer.from(bytes)).entries).toEqual([])
    }),
  )
})

test('entries of more than a frame holds are several', () => {
  const long = built('a', { bundleId: 'x'.repeat(9 << 20) })
  expect(decode(encode([long, built('b'), long])).entries).toEqual([long, built('b'), long])
})

test.skipIf(process.platform === 'win32')('nobody else can read what is signed', async () => {
  const path = await written([built('a')])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('another file is not taken for a journal', async () => {
  const path = fresh()
  writeFileSync(path, 'my precious notes, which are longer than a header')
  expect(await rejected(Journal.open(path, false))).toMatchObject({ code: 'VELOX_CORRUPT_DATA' })
  expect(readFileSync(path, 'utf8')).toMatch(/^my precious/)
})

test('a second owner is refused, in this process and in another; the lock goes with its process', async () => {
  const path = fresh()
  const journal = await Journal.open(path, false)
  const error = await rejected(Journal.open(path, false))
  expect(error).toMatchObject({ code: 'VELOX_JOURNAL_LOCKED', context: { by: `process ${process.pid}` } })
  const opens = (then: string) => `
    const { Journal } = await import(${JSON.stringify(new URL('../dist/solana/journal.js', import.meta.url).href)})
    const journal = await Journal.open(${JSON.stringify(path)}, false).catch(({ code }) => code)
    ${then}`
  expect((await script(opens('console.log(journal)'))).stdout).toBe('VELOX_JOURNAL_LOCKED\n')
  await journal.close()
  const killed = await script(opens(`process.kill(process.pid, 'SIGKILL')`))
  expect(killed.signal).toBe('SIGKILL')
  expect(await read(path)).toEqual([])
})

test.skipIf(process.platform === 'win32')('a journal by another spelling or a link is the same one', async () => {
  const path = fresh()
  const link = `${path}.link`
  const journal = await Journal.open(path, false)
  symlinkSync(path, link)
  expect(await rejected(Journal.open(link, false))).toMatchObject({ code: 'VELOX_JOURNAL_LOCKED' })
  const spelled = `${folder}/./${path.slice(folder.length + 1)}`
  expect(await rejected(Journal.open(spelled, false))).toMatchObject({ code: 'VELOX_JOURNAL_LOCKED' })
  await journal.close()
})

test('a folder that there is not', async () => {
  expect(await rejected(Journal.open(join(folder, 'no/such.journal'), true))).toMatchObject({
    code: 'VELOX_FILE_UNWRITABLE',
  })
})

test('after a write that failed it takes no more', async () => {
  const path = fresh()
  const journal = await Journal.open(path, false)
  await journal.close()
  expect(await rejected(journal.append(built('a')))).toMatchObject({ code: 'VELOX_FILE_UNWRITABLE' })
})

test('what is appended as it is closed is in it, or is refused and isn’t', async () => {
  const path = fresh()
  const journal = await Journal.open(path, false)
  const ids: string[] = []
  let turn = 0
  const more = async (): Promise<void> => {
    const id = `s${turn++}`
    await journal.append(built(id))
    ids.push(id)
    await more()
  }
  const appending = [1, 2, 3].map(() => more().catch(() => {}))
  await new Promise((resolve) => setTimeout(resolve, 20))
  await journal.close()
  await Promise.all(appending)
  const found = (await read(path)).map((entry) => (entry.kind === 'built' ? entry.transactions[0]?.signature : ''))
  expect(found.toSorted()).toEqual(ids.toSorted())
})

test('what is open is what was built and has not ended; what was signed again has', () => {
  const { open, spent } = recovered([
    built('a'),
    built('b'),
    ended('a', '6000'),
    built('c', { replaces: 'b' }),
    built('d'),
    { ...ended('d'), state: 'expired' } as JournalEntry,
  ])
  expect(open).toEqual([built('c', { replaces: 'b' })])
  expect(spent).toEqual([{ at: 2, lamports: 6000n }])
})

test('an empty file, or one with half a header, begins anew', async () => {
  const path = await written([built('a')])
  truncateSync(path, 7)
  expect(await read(path)).toEqual([])
})

test('what is still needed leaves an end with its beginning, whatever the clock did in between', () => {
  const needed = new Needed(1_000)
  const at = (entry: JournalEntry, ms: number) => ({ ...entry, at: ms }) as JournalEntry
  const entries = [at(built('a'), 2_000), at(ended('a', '7'), 500), at(built('b'), 900), at(ended('b'), 950)]
  for (const entry of entries) needed.add(entry)
  expect(needed.entries).toEqual(entries.slice(0, 2))
})

test('one that grows large while it is used begins anew, and loses nothing of what comes meanwhile', async () => {
  const path = fresh()
  const journal = await Journal.open(path, true, 0, 20_000)
  const all: JournalEntry[] = []
  const append = (entry: JournalEntry) => {
    all.push(entry)
    return journal.append(entry)
  }
  for (let i = 0; i < 400; i++) {
    await Promise.all([append(built(`s${i}`)), append(built(`t${i}`))])
    if (i % 40 !== 0) await Promise.all([append(ended(`s${i}`)), append(ended(`t${i}`))])
  }
  await journal.close()
  expect(readFileSync(path).length).toBeLessThan(60_000)
  expect(existsSync(`${path}.old`)).toBe(true)
  expect(existsSync(`${path}.new`)).toBe(false)
  expect(recovered(await read(path)).open).toEqual(recovered(all).open)
})

test('one that can’t begin anew goes on as it is', async () => {
  const path = fresh()
  mkdirSync(`${path}.new`)
  writeFileSync(`${path}.new/in-the-way`, '')
  const journal = await Journal.open(path, true, 0, 2_000)
  const entries = Array.from({ length: 100 }, (_, i) => built(`s${i}`))
  for (const entry of entries) await journal.append(entry)
  await journal.close()
  expect(await read(path)).toEqual(entries)
})

test.skipIf(process.platform === 'win32')(
  'by a link it begins anew where the file is, and has one owner still',
  async () => {
    const path = await written(Array.from({ length: 200 }, (_, i) => [built(`s${i}`), ended(`s${i}`)]).flat())
    const link = `${path}.link`
    symlinkSync(path, link)
    const journal = await Journal.open(link, true, 0, 1_000)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    for (const name of [link, path])
      expect(await rejected(Journal.open(name, false))).toMatchObject({ code: 'VELOX_JOURNAL_LOCKED' })
    await journal.append(built('next'))
    await journal.close()
    expect(await read(path)).toEqual([built('next')])
  },
)

test('one that has grown large begins anew with what is still needed; the old one stays beside it', async () => {
  const late = Date.now()
  const entries = [
    ...Array.from({ length: 200 }, (_, i) => [built(`s${i}`), ended(`s${i}`)]).flat(),
    built('open'),
    { ...built('late'), at: late } as JournalEntry,
    { ...ended('late', '7'), at: late } as JournalEntry,
  ]
  const path = await written(entries)
  const journal = await Journal.open(path, true, 0, 1_000)
  expect(journal.entries).toEqual(entries)
  await journal.append(built('next'))
  await journal.close()
  expect(await read(path)).toEqual([...entries.slice(-3), built('next')])
  expect(decode(readFileSync(`${path}.old`).subarray(33)).entries).toEqual(entries)
  expect(recovered(await read(path))).toEqual({
    open: [built('open'), built('next')],
    spent: [{ at: late, lamports: 7n }],
  })
})
