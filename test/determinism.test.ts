// The same data gives the same bytes on one thread or many, with stages of one's own in the middle, however batches are cut.
import { createHash } from 'node:crypto'
import { Bundle, count, L2Book, param, pipeline, poisson, RingBuffer, replay, sample, when } from 'velox-engine'
import { expect, test } from 'vitest'
import { SLOTS_AT } from '../dist/ring/layout.js'
import { internals } from '../dist/ring/ring-buffer.js'
import large from './stages/large.js'
import mid, { Mid } from './stages/mid.js'

const CAPACITY = 2 ** 14

/** A hash of the bytes of all records in a ring. */
function hashOf(ring: { readonly length: number }, byteLength: number): string {
  const { buffer } = internals(ring as never)
  const bytes = new Uint8Array(buffer, SLOTS_AT, ring.length * byteLength).slice()
  return createHash('sha256').update(bytes).digest('hex')
}

const placements = [
  { threads: 1 },
  { threads: 2, wait: 'block' },
  {
    threads: [
      { stages: ['replay'] },
      { stages: ['book', 'trades', 'stage'] },
      { stages: ['transactions', 'bundle', 'ring'] },
    ],
  },
  { threads: [{ stages: ['replay', 'transactions'] }, { stages: ['book', 'trades', 'stage', 'bundle', 'ring'] }] },
] as const

async function bundles(o: object, cut: object, pace: 'max' | { perSecond: number } = 'max'): Promise<string> {
  const market = replay(sample.btcusdt, { pace })
  const ring = new RingBuffer(Bundle, CAPACITY)
  const run = await pipeline('p')
    .from(market)
    .book(new L2Book({ instrument: market.instrument() }), cut)
    .trades(cut)
    .stage(large, { params: { least: 20 }, ...cut })
    .transactions(cut)
    .bundle(cut)
    .to(ring)
    .start(o)
  const report = await run.done()
  expect([report.balanced, report.nonDeterministic]).toEqual([true, []])
  expect(ring.length).toBeGreaterThan(500)
  return hashOf(ring, Bundle.byteLength)
}

test('bundles behind a stage in TypeScript are the same bytes on any threads, edges and paces', async () => {
  const expected = await bundles({}, {})
  for (const placement of placements) {
    for (const cut of [{}, { capacity: 1024 }, { capacity: 16 }]) expect(await bundles(placement, cut)).toBe(expected)
  }
  expect(await bundles({ threads: 2 }, {}, { perSecond: 50_000 })).toBe(expected)
})

test('what a step refused first is named by its place in the data, however batches are cut', async () => {
  const first = async (capacity: number) => {
    const chain = pipeline('p')
      .from(poisson({ perSecond: 1e5, count: 2_000, pace: 'max' }))
      .trades({ capacity })
      .filter((t) => t.price.div(when(t.id.ge(1_500), t.qty.sub(t.qty)).otherwise(t.qty)).gt(0), { capacity })
    return (await (await chain.to(count()).start()).done()).stages[2]?.firstError
  }
  const told = await first(16)
  expect(told).toMatch(/division by 0 \(record 1499 of the step\)/)
  expect(await first(1024)).toBe(told)
})

test('a book that begins with levels of another run is told, until a snapshot replaces them', async () => {
  const runs = async (market: ReturnType<typeof poisson>) => {
    const book = new L2Book({ instrument: market.instrument() })
    const once = async () =>
      (await (await pipeline('p').from(market).book(book).to(count()).start()).done()).nonDeterministic
    return [await once(), await once()]
  }
  expect(await runs(replay(sample.btcusdt))).toEqual([[], []])
  const older = 'a book began with levels from before the run'
  expect(await runs(poisson({ perSecond: 1e5, count: 1_000, pace: 'max' }))).toEqual([[], [older]])
})

test('a stage in TypeScript that looks at a book sees it as of its own records on any batches', async () => {
  const seen = async (threads: readonly { stages: readonly string[] }[] | number, capacity: number) => {
    const market = poisson({ perSecond: 1e5, count: 5_000, pace: 'max' })
    const ring = new RingBuffer(Mid, CAPACITY)
    const chain = pipeline('p')
      .from(market)
      .book(new L2Book({ instrument: market.instrument() }))
      .trades({ capacity })
      .stage(mid)
      .to(ring)
    const report = await (await chain.start({ threads })).done()
    expect([report.balanced, ring.length]).toEqual([true, 5_000])
    return [hashOf(ring, Mid.byteLength), report.nonDeterministic] as const
  }
  const [expected, none] = await seen(1, 256)
  expect(none).toEqual([])
  expect(await seen([{ stages: ['poisson'] }, { stages: ['book', 'trades', 'stage', 'ring'] }], 4096)).toEqual([
    expected,
    [],
  ])
  const [, reasons] = await seen([{ stages: ['poisson', 'book'] }, { stages: ['trades', 'stage', 'ring'] }], 256)
  expect(reasons).toEqual(['a stage looks at a book that another thread keeps'])
})

/** The same number stands in `crates/velox-engine/tests/examples.rs`. */
const BUNDLES = 0xb0cafd7530a00416n

test('the four stages give the same bundles as from Rust', async () => {
  const market = replay(sample.btcusdt)
  const run = await pipeline('p')
    .from(market)
    .book(new L2Book({ instrument: market.instrument() }), { verify: 'quotes' })
    .trades()
    .transactions()
    .bundle()
    .start({ threads: 2 })
  let hash = 0xcbf29ce484222325n
  const add = (word: bigint) => {
    hash = BigInt.asUintN(64, (hash ^ word) * 0x100000001b3n)
  }
  for await (const batch of run.batches()) {
    for (const { transactions, createdTsNs } of batch.toArray()) {
      for (const { id, price, size, side } of transactions)
        for (const word of [id, price, size, side === 'bid' ? 0 : 1]) add(BigInt(word))
      add(createdTsNs)
    }
  }
  expect((await run.done()).verified).toMatchObject({ checked: 423, agreed: 423 })
  expect(hash).toBe(BUNDLES)
})

test('what can not be repeated says why', async () => {
  const least = param('least', 1)
  const market = () =>
    pipeline('p')
      .from(poisson({ perSecond: 1e6, count: 10_000, pace: 'max' }))
      .trades()
  const reasons = async (chain: ReturnType<typeof market>) => {
    const run = await chain.start()
    for await (const _ of run.batches());
    return (await run.done()).nonDeterministic.join()
  }
  expect(await reasons(market().filter((t) => t.qty.gt(least)))).toBe('')
  expect(await reasons(market().rateLimit(1000))).toContain('rate')
  expect(await reasons(market().conflate((t) => t.price))).not.toBe('')
  expect(await reasons(market().sampleEvery(2, { whenFull: 'drop' }))).toContain('drop')
})
