import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Batch,
  count,
  type EdgeReport,
  f64,
  fromIterable,
  type Infer,
  i64,
  L2Book,
  MarketEvent,
  type Pipeline,
  param,
  pipeline,
  poisson,
  type Report,
  RingBuffer,
  type Run,
  record,
  replay,
  type Stats,
  sample,
  Trade,
  u64,
} from 'velox-engine'
import { expect, test } from 'vitest'
import large from './stages/large.js'
import { expectCode, rejected } from './support/errors.js'
import { shared } from './support/node.js'

const Tick = record('Tick', { id: u64, price: i64 })
type Ticks = Pipeline<typeof Tick>

const ticks = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => ({
    id: from + i * step,
    price: (from + i * step) % 7,
  }))
const of = (values: readonly { id: number; price: number }[]): Ticks => pipeline('p').from(fromIterable(Tick, values))
const trades = () => pipeline('p').from(replay(sample.btcusdt)).trades()
type Three = [RingBuffer<typeof Trade>, RingBuffer<typeof Trade>, RingBuffer<typeof Trade>]
const stage = (report: Report, name: string) => report.stages.find((stage) => stage.name === name)

test('what an iterable gives comes out as objects, in order, more than a ring holds', async () => {
  const all = ticks(0, 10_000)
  expect(await of(all).toArray()).toEqual(all)
  async function* slowly() {
    for (const tick of ticks(0, 20)) {
      await sleep(1)
      yield tick
    }
  }
  expect(await pipeline('p').from(fromIterable(Tick, slowly())).toArray()).toEqual(ticks(0, 20))
})

test('an iterable that throws fails the run by its source, with its own error', async () => {
  function* faulty() {
    yield* ticks(0, 5)
    throw new RangeError('no more ticks')
  }
  const error = await rejected(pipeline('p').from(fromIterable(Tick, faulty())).toArray())
  expect(error).toMatchObject({ code: 'VELOX_STAGE_FAILED', context: { stage: 'iterable' } })
  expect(error.cause).toBeInstanceOf(RangeError)
  const wrong = await rejected(
    pipeline('p')
      .from(fromIterable(Tick, [{ id: -1, price: 1 }]))
      .toArray(),
  )
  expect(wrong.cause).toMatchObject({ code: 'VELOX_INVALID_VALUE', context: { field: 'id' } })
})

test('a tee gives every record twice, a split each to one side', async () => {
  const run = await trades()
    .tee((p) => p.transactions().to(count('copies')))
    .split(
      (t) => t.side.eq('bid'),
      (p) => p.to(count('asks')),
    )
    .to(count('bids'))
    .start({ threads: 2 })
  const report = await run.done()
  expect(report.balanced).toBe(true)
  expect(stage(report, 'copies')?.consumed).toBe(11_463)
  const [bids, asks] = [stage(report, 'bids')?.consumed ?? 0, stage(report, 'asks')?.consumed ?? 0]
  expect(bids + asks).toBe(11_463)
  expect(Math.min(bids, asks)).toBeGreaterThan(100)
  expect(run.topology.edges.filter(({ from }) => from === 'tee')).toHaveLength(2)
})

test('a split gives on what holds and the branch the rest, a tee the same to both, each in order', async () => {
  const whole = await trades().toArray()
  const ids = (records: readonly { id: number }[]) => records.map(({ id }) => id)
  const isBid = await trades()
    .filter((t) => t.side.eq('bid'))
    .toArray()
  for (const threads of [1, 4]) {
    const rings = [0, 1, 2].map(() => new RingBuffer(Trade, 16_384)) as Three
    const [copies, others, bids] = rings
    const chain = trades()
      .tee((p) => p.to(copies))
      .split(
        (t) => t.side.eq('bid'),
        (p) => p.to(others),
      )
    await (await chain.to(bids).start({ threads })).done()
    const [copied, asks, held] = rings.map((ring) => ids(ring.popMany(16_384)))
    expect(copied).toEqual(ids(whole))
    expect(held).toEqual(ids(isBid))
    expect(asks).toEqual(ids(whole.filter(({ side }) => side === 'ask')))
  }
})

test('a merge goes by time, ties by the order of its inputs', async () => {
  const [evens, odds] = [ticks(0, 4_000, 2), ticks(1, 4_000, 2)]
  const same = evens.map(({ id }) => ({ id, price: 100 }))
  const merged = await of(evens)
    .merge((t) => t.id, [of(same), of(odds)])
    .toArray()
  expect(merged).toHaveLength(6_000)
  expect(merged.map(({ id }) => id)).toEqual(merged.map(({ id }) => id).sort((a, b) => a - b))
  for (let i = 1; i < merged.length; i++)
    if (merged[i]?.id === merged[i - 1]?.id)
      expect([merged[i - 1]?.price === 100, merged[i]?.price]).toEqual([false, 100])
})

test('records out of order are late: counted, and passed on or dropped', async () => {
  const late = [...ticks(0, 10), ...ticks(3, 5), ...ticks(10, 12)]
  for (const [choice, passed] of [
    ['emit', 14],
    ['drop', 12],
  ] as const) {
    const chain = of(late).merge((t) => t.id, [of([])], { late: choice })
    const report = await (await chain.to(count()).start()).done()
    expect(stage(report, 'merge')).toMatchObject({ late: 2, filtered: 14 - passed, consumed: passed })
    expect(report.balanced).toBe(true)
  }
})

test('branches of one stream that meet again by time give it back, more at one time than batches hold', async () => {
  // The snapshot has some 2,000 levels of one time; one branch passes none of them.
  const ring = new RingBuffer(MarketEvent, 2 ** 19)
  const market = pipeline('p').from(replay(sample.btcusdt))
  const branches = market
    .filter((t) => t.kind.eq('level'))
    .merge(
      (t) => t.receiveTs,
      [
        pipeline('q')
          .from(replay(sample.btcusdt))
          .filter((t) => t.kind.ne('level')),
      ],
    )
  for (const threads of [1, 2, 5]) {
    const report = await (await branches.to(ring).start({ threads })).done()
    expect(report.balanced).toBe(true)
    expect(report.nonDeterministic).toEqual([])
    const got = ring.popMany(2 ** 19)
    expect(got).toHaveLength(386_480)
    // Depth events that were received before their snapshot are given behind it: late in the data itself.
    const steps = got.slice(1).filter(({ receiveTs }, i) => receiveTs < (got[i]?.receiveTs as bigint))
    expect([steps.length, stage(report, 'merge')?.late]).toEqual([1, 69])
  }
})

test('a tap that blocks sees everything, one that drops some', async () => {
  const market = () => pipeline('p').from(poisson({ perSecond: 1e6, count: 200_000, pace: 'max' }))
  let seen = 0
  const all = await (
    await market()
      .tap((batch) => {
        seen += batch.length
      })
      .to(count())
      .start()
  ).done()
  expect([seen, all.balanced]).toEqual([400_000, true])
  let some = 0
  const chain = market().tap(
    (batch) => {
      some += batch.length
    },
    { whenFull: 'drop', capacity: 256, name: 'look' },
  )
  const report = await (await chain.to(count()).start()).done()
  expect(stage(report, 'count')?.consumed).toBe(400_000)
  const edge = report.edges.find(({ to }) => to === 'look callback')
  expect(edge?.dropped).toBeGreaterThan(0)
  expect(edge?.offered).toBe(400_000)
  expect(edge?.popped).toBe(some)
  expect(report.balanced).toBe(true)
  expect(report.nonDeterministic).toEqual(['the edge before look callback drops what finds no room'])
})

/** How far the rest of a run came while its tap's function did not come back, and the report. */
async function heldByTap(whenFull: 'block' | 'drop', isThrough: (counted: number, before: number) => boolean) {
  const cells = new Int32Array(new SharedArrayBuffer(4))
  let run: (Run<typeof MarketEvent> & { now?(): Stats }) | undefined
  let counted: number | undefined
  const look = () => run?.now?.().stages.find(({ name }) => name === 'count')?.in ?? 0
  const chain = pipeline('p')
    .from(poisson({ perSecond: 1e6, count: 200_000 }))
    .tap(
      () => {
        // A tap may be called before the run is there.
        if (!run || counted !== undefined) return
        for (let looks = 0, before = -1; looks < 100; looks++, before = counted) {
          counted = look()
          if (isThrough(counted, before)) return
          Atomics.wait(cells, 0, 0, 100)
        }
      },
      { whenFull, capacity: 256, name: 'look' },
    )
  run = await chain.to(count()).start()
  const report = await run.done()
  const into = (name: string) => report.edges.find(({ to }) => to === name) as EdgeReport
  const whens = run.topology.edges.map(({ to, whenFull }) => [to, whenFull])
  return { report, counted, tap: into('look callback'), before: into('look'), whenFull: Object.fromEntries(whens) }
}

test('a tap that blocks holds up the rest while its function is at work, and the report shows where', async () => {
  const { report, counted, tap, before, whenFull } = await heldByTap('block', (counted, before) => counted === before)
  expect(counted).toBeLessThan(300_000)
  expect(stage(report, 'count')?.consumed).toBe(400_000)
  expect([tap.dropped, tap.popped, tap.highWater, before.highWater]).toEqual([0, 400_000, 256, 256])
  expect(stage(report, 'count')?.latencyNanos?.max).toBeGreaterThan(1e8)
  expect(report.nonDeterministic).toEqual([])
  expect(whenFull).toEqual({ look: 'block', 'look callback': 'block', count: 'block' })
})

test('a tap that drops holds up nobody while its function is at work, and the report shows what it cost', async () => {
  const { report, counted, tap, whenFull } = await heldByTap('drop', (counted) => counted === 400_000)
  expect(counted).toBe(400_000)
  expect(tap.dropped).toBeGreaterThan(100_000)
  expect(tap.pushed).toBe(tap.popped)
  expect(tap.highWater).toBeLessThanOrEqual(tap.pushed)
  expect(whenFull).toEqual({ look: 'block', 'look callback': 'drop', count: 'block' })
  expect(report.nonDeterministic).toEqual(['the edge before look callback drops what finds no room'])
})

test('what nobody reads at stop() counts as dropped, and a reader that comes gets the rest', async () => {
  const chain = pipeline('p').from(poisson({ perSecond: 1e6, pace: 'max' }))
  const run = await chain.start()
  await sleep(50)
  const report = await run.stop()
  expect(report.balanced).toBe(true)
  expect(report.edges.at(-1)).toMatchObject({ to: 'batches', popped: 0, inFlight: 0 })
  expect(report.edges.at(-1)?.dropped).toBe(report.stages[0]?.out)
  const read = await chain.start()
  let seen = 0
  for await (const batch of read.batches()) {
    seen += batch.length
    if (seen > 10_000) void read.stop()
  }
  const end = await read.done()
  expect(end.stages.at(-1)?.consumed).toBe(seen)
  expect(end.balanced).toBe(true)
})

test('a batch is valid until the next, and one reader has them at a time', async () => {
  const run = await of(ticks(0, 3_000)).start()
  let last: Batch<typeof Tick> | undefined
  let seen = 0
  for await (const batch of run.batches()) {
    expect((await rejected(run.batches()[Symbol.asyncIterator]().next())).message).toContain('one reader at a time')
    for (let i = 0; i < batch.length; i++) expect(batch.id(i)).toBe(seen++)
    last = batch
  }
  expect(seen).toBe(3_000)
  expectCode(() => last?.id(0), 'VELOX_STALE_BATCH', 'Tick')
  const ended = await of([]).to(count()).start()
  expectCode(() => ended.batches(), 'VELOX_INVALID_VALUE', 'without a last step')
})

test('small steps leave out what they should', async () => {
  const all = ticks(0, 1_000)
  expect(await of(all).sampleEvery(10).toArray()).toEqual(all.filter((_, i) => i % 10 === 0))
  const seven = await of(all)
    .dedupe((t) => t.price, { windowMicros: 1e9 })
    .toArray()
  expect(seven).toEqual(all.slice(0, 7))
  const limited = await of(all).rateLimit(100, { name: 'limit' }).to(count()).start()
  const report = await limited.done()
  expect(stage(report, 'limit')?.consumed).toBeLessThan(200)
  const conflated = await (
    await of(all)
      .conflate((t) => t.price)
      .to(count())
      .start()
  ).done()
  const { consumed = 0, conflated: replaced = 0 } = stage(conflated, 'conflate') ?? {}
  expect([consumed + replaced, conflated.balanced]).toEqual([1_000, true])
})

test('an expression meets the book of its record’s own instant on any batches', async () => {
  const Seen = record('Seen', { id: u64, bid: i64, ask: i64, spread: i64, mid: f64, imbalance: f64, one: f64 })
  const chain = (capacity: number) => {
    const market = replay(sample.btcusdt)
    const book = new L2Book({ instrument: market.instrument() })
    return pipeline('p')
      .from(market)
      .book(book)
      .trades({ capacity })
      .map(Seen, (t, { book }) => {
        const { bid, ask, spread, mid, imbalance } = book
        return { id: t.id, bid, ask, spread, mid, imbalance: imbalance(5), one: book.imbalance(1) }
      })
  }
  // The naive way: each record by itself.
  const market = replay(sample.btcusdt)
  const book = new L2Book({ instrument: market.instrument() })
  const expected: Infer<typeof Seen>[] = []
  const imbalance = (levels: number) => {
    const { bids, asks } = book.depth(levels)
    const sum = (side: typeof bids) => side.reduce((all, { qty }) => all + qty, 0)
    return (sum(bids) - sum(asks)) / (sum(bids) + sum(asks))
  }
  let levels: { side: 'bid' | 'ask'; price: number; qty: number }[] = []
  for (const event of await pipeline('all').from(market).toArray()) {
    if (event.kind === 'level') {
      if (event.flags & 2) {
        book.applySnapshot({ bids: [], asks: [], sequence: 0 })
        levels = []
      }
      levels.push(event)
      if (event.flags & 1) {
        book.apply(levels, event.sequence)
        levels = []
      }
    }
    const top = book.top()
    if (event.kind !== 'trade' || !top) continue
    const { bid, ask } = top
    const sizes = { imbalance: imbalance(5), one: imbalance(1) }
    expected.push({ id: event.sequence, bid, ask, spread: ask - bid, mid: (bid + ask) / 2, ...sizes })
  }
  expect(expected.length).toBeGreaterThan(11_000)
  for (const [capacity, threads] of [
    [256, 1],
    [4096, 2],
  ] as const) {
    expect(await chain(capacity).toArray({ threads })).toEqual(expected)
  }
})

test('a parameter is set while the run goes, and the report says where', async () => {
  const least = param('least', 0)
  const chain = pipeline('p')
    .from(poisson({ perSecond: 20_000 }))
    .trades()
    .filter((t) => t.qty.ge(least))
  const run = await chain
    .stage(large, { params: { least: 0 } })
    .to(count())
    .start()
  await sleep(100)
  expect(run.params.get(least)).toBe(0)
  run.params.set(least, 50)
  run.params.set('stage.least', 60)
  expect([run.params.get('least'), run.params.get('stage.least')]).toEqual([50, 60])
  await sleep(100)
  const report = await run.stop()
  expect(report.paramChanges.map(({ stage, param, value }) => [stage, param, value])).toEqual([
    ['filter', 'least', 50],
    ['stage', 'least', 60],
  ])
  expect(report.paramChanges[0]?.atRecord).toBeGreaterThan(100)
  expect(report.nonDeterministic.join()).toContain('the parameter least was set')
  expect(stage(report, 'filter')?.filtered).toBeGreaterThan(100)
  expect(stage(report, 'stage')?.filtered).toBeGreaterThan(10)
  expectCode(() => run.params.set('lest', 1), 'VELOX_INVALID_VALUE', 'did you mean least?')
  expectCode(() => run.params.set(least, '1' as never), 'VELOX_INVALID_VALUE', 'a number')
})

test('a change of a parameter is seen from the record on that the report names, and not before', async () => {
  const least = param('least', 0)
  const seen = new RingBuffer(Trade, 2 ** 18)
  const run = await pipeline('p')
    .from(poisson({ perSecond: 100_000 }))
    .trades()
    .tee((p) => p.stage(large, { name: 'script', params: { least: 0 } }).to(count()), { name: 'all' })
    .filter((t) => t.id.ge(least))
    .to(seen)
    .start({ threads: [{ stages: ['poisson', 'trades', 'all', 'filter', 'ring'] }, { stages: ['script', 'count'] }] })
  await sleep(100)
  run.params.set(least, 2 ** 52)
  run.params.set('script.least', 2 ** 52)
  await sleep(100)
  const report = await run.stop()
  const places = new Map(report.paramChanges.map(({ stage, atRecord }) => [stage, atRecord]))
  for (const name of ['filter', 'script']) {
    const { in: taken = 0, consumed, filtered } = stage(report, name) ?? {}
    const place = places.get(name) ?? 0
    expect([taken > place, place > 100]).toEqual([true, true])
    expect([consumed, filtered]).toEqual([place, taken - place])
  }
  // Trades are numbered from 1 on.
  const passed = seen.popMany(2 ** 18).map(({ id }) => id)
  expect(passed).toEqual(Array.from({ length: places.get('filter') ?? 0 }, (_, i) => i + 1))
})

test('a plan is explained before it runs', () => {
  const market = poisson({ perSecond: 1 })
  const book = new L2Book({ instrument: market.instrument() })
  const chain = pipeline('look')
    .from(market)
    .book(book)
    .trades()
    .filter((_, { book }) => book.spread.gt(1))
    .stage(large, { name: 'mine' })
  const text = chain.explain({ threads: 3, wait: 'block' })
  expect(text).toContain('thread 2 (block): thread 2 of 3')
  expect(text).toContain('filter   filter; looks at book')
  expect(text).toMatch(/thread 3 \(block, a worker that runs mine\)/)
  expect(text).toContain('a ring of 4096 from filter on thread 2, blocks when full')
  expect(text).toContain('a ring of 4096 to the main thread, blocks when full')
})

test('steps that can not be are refused where they are written', async () => {
  const market = poisson({ perSecond: 1 })
  const book = () => new L2Book({ instrument: market.instrument() })
  const events = () => pipeline('p').from(market)
  expectCode(
    () => events().sampleEvery(1, { whenFull: 'drop' }).book(book()),
    'VELOX_INVALID_VALUE',
    "'block' on every",
  )
  expectCode(() => events().filter((_, x) => x.book.bid.gt(1)), 'VELOX_INVALID_VALUE', 'a book step before')
  const two = events().book(book(), { name: 'spot' }).trades()
  expectCode(
    () => two.filter((_, x) => (x.books as never as { sport: typeof x.book }).sport.bid.gt(1)),
    'VELOX_INVALID_VALUE',
    'spot',
  )
  const merged = two.merge((t) => t.receiveTs, [pipeline('q').from(market).trades()])
  expectCode(() => merged.filter((_, x) => x.book.bid.gt(1)), 'VELOX_INVALID_VALUE', 'a book step before')
  expectCode(() => of([]).map(Trade, () => ({}) as never), 'VELOX_INVALID_VALUE', 'every field of Trade')
  expectCode(
    () => of([]).map(Tick, (t) => ({ id: t.id, prise: 1 }) as never),
    'VELOX_UNKNOWN_FIELD',
    'did you mean price?',
  )
  expectCode(() => of([]).sampleEvery(0), 'VELOX_INVALID_VALUE', 'n: expected')
  expectCode(() => of([]).tap(1 as never), 'VELOX_INVALID_VALUE', 'a function of a batch')
  expectCode(() => of([]).tee(() => of([]) as never), 'VELOX_INVALID_VALUE', 'the branch that the function was given')
  expectCode(() => of([]).merge((t) => t.id, []), 'VELOX_INVALID_VALUE', 'at least one pipeline')
  expectCode(() => param('', 1), 'VELOX_INVALID_VALUE', 'name')
  expectCode(() => param('x', '1' as never), 'VELOX_INVALID_VALUE', 'a number')
  expectCode(() => fromIterable(Tick, 5 as never), 'VELOX_INVALID_VALUE', 'iterable')
  const far = await rejected(
    two
      .filter((_, x) => x.book.bid.gt(1))
      .to(count())
      .start({ threads: 5 }),
  )
  expect([far.code, far.message]).toEqual(['VELOX_PLACEMENT_INVALID', expect.stringContaining('stay together')])
})

const [spot, usdm] = ['spot-btcusdt_20240808.gz', 'usdm-btcusdt_20240808.gz'].map((day) =>
  shared(`data/binance/${day}`),
)
test.skipIf(!spot || !usdm)(
  'two venues of one symbol keep their own books, merged by the time of receipt',
  async () => {
    const markets = [replay(spot as string), replay(usdm as string)] as const
    const books = markets.map((market) => new L2Book({ instrument: market.instrument() })) as [L2Book, L2Book]
    const run = await pipeline('both')
      .from(markets[0])
      .merge((t) => t.receiveTs, [pipeline('usdm').from(markets[1])])
      .book(books[0], { name: 'spot', verify: 'quotes' })
      .book(books[1], { name: 'usdm', verify: 'quotes' })
      .to(count())
      .start()
    const report = await run.done()
    expect(report).toMatchObject({ balanced: true, gaps: 0, verified: { checked: 564 + 629, agreed: 564 + 629 } })
  },
)

test('a script gets no more than a batch at a time, whatever its edges hold', async () => {
  const run = await pipeline('p')
    .from(poisson({ perSecond: 1e6, count: 50_000, pace: 'max' }))
    .trades({ capacity: 2048 })
    .stage(large, { params: { least: 0 }, capacity: 2048 })
    .filter((t) => t.qty.ge(0), { capacity: 2048 })
    .to(count())
    .start({ threads: [{ stages: ['poisson', 'trades'] }, { stages: ['stage', 'filter', 'count'] }] })
  const report = await run.done()
  expect([report.balanced, stage(report, 'count')?.consumed]).toEqual([true, 50_000])
})
