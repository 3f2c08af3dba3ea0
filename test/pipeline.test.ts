import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  Bundle,
  count,
  discard,
  Instrument,
  L2Book,
  pipeline,
  poisson,
  RingBuffer,
  replay,
  sample,
  Trade,
  Transaction,
} from 'velox-engine'
import { afterAll, expect, test } from 'vitest'
import { SLOTS_AT } from '../dist/ring/layout.js'
import { internals } from '../dist/ring/ring-buffer.js'
import { expectCode, rejected } from './support/errors.js'
import { shared } from './support/node.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-pipeline-'))
afterAll(() => rmSync(folder, { recursive: true }))

const lines = gunzipSync(readFileSync(sample.btcusdt)).toString().split('\n')

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

function fourStages(path: string | URL) {
  const market = replay(path)
  const book = new L2Book({ instrument: market.instrument() })
  const chain = pipeline('four').from(market).book(book, { verify: 'quotes' }).trades().transactions().bundle()
  return { book, chain: chain.to(count('output')) }
}

test('the sample keeps a book that agrees with every quote, and all accounts add up', async () => {
  const { book, chain } = fourStages(sample.btcusdt)
  const run = await chain.start()
  const report = await run.done()
  expect(report).toMatchObject({
    balanced: true,
    verified: { checked: 423, agreed: 423 },
    gaps: 0,
    nonDeterministic: [],
  })
  expect(report.stages.map(({ name }) => name)).toEqual([
    'replay',
    'book',
    'trades',
    'transactions',
    'bundle',
    'output',
  ])
  for (const s of report.stages) expect(s.in).toBe(s.consumed + s.filtered + s.conflated + s.errors + s.held)
  for (const e of report.edges) expect([e.offered, e.pushed]).toEqual([e.pushed + e.dropped, e.popped + e.inFlight])
  expect(report.stages[3]).toMatchObject({ in: 11_463, consumed: 11_463 })
  expect(report.endToEndNanos?.count).toBe(11_463)
  expect(book.top()?.bid).toBeLessThan(book.top()?.ask as number)
  expect(`${report}`).toContain('verified: 423 of 423 quotes')
  expect(JSON.parse(JSON.stringify(report)).elapsedNanos).toBeGreaterThan(0)
  expect(typeof report.elapsedNanos).toBe('bigint')
  expect(run.placement).toEqual(report.placement)
})

const usdm = shared('data/binance/usdm-btcusdt_20240808.gz')
test.skipIf(!usdm)('the whole recorded day makes 629 checks', async () => {
  const report = await (await fourStages(usdm as string).chain.start()).done()
  expect(report).toMatchObject({ balanced: true, verified: { checked: 629, agreed: 629 } })
})

test('one flipped level is caught', async () => {
  const text = [...lines]
  const at = text.findIndex((line, i) => i > 2_000 && line.includes('"depthUpdate"') && !line.includes('"b":[]'))
  text[at] = (text[at] as string).replace('"b":[', '"b":[["99999.90","1.000"],')
  const report = await (await fourStages(file('flipped.gz', text.join('\n'))).chain.start()).done()
  expect(report.verified?.agreed).toBeLessThan(report.verified?.checked as number)
  expect(report.verified?.firstDisagreement).toContain('9999990 × 1000')
})

test('bundles in a ring, in batches, are the same as one native run counts', async () => {
  const market = replay(sample.btcusdt)
  const ring = new RingBuffer(Bundle, 64)
  const run = await pipeline('out').from(market).trades().transactions().bundle().to(ring).start()
  const ids: number[] = []
  const done = run.done()
  let ended = false
  void done.then(() => {
    ended = true
  })
  while (!ended || !ring.isEmpty) {
    ring.drain((batch) => {
      for (let i = 0; i < batch.length; i++) ids.push(...batch.transactions(i).map(({ id }) => id))
    })
    await new Promise(setImmediate)
  }
  expect(ids).toHaveLength(11_463)
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
  expect((await done).stages.at(-1)).toMatchObject({ name: 'ring' })
})

test('a ring can be a source: what a script pushes goes through native stages', async () => {
  const [input, output] = [new RingBuffer(Trade, 256), new RingBuffer(Transaction, 1024)]
  const run = await pipeline('in').from(input).transactions().to(output).start()
  const trade = (id: number) =>
    ({ id, instrument: 1, side: 'ask', price: 100 + id, qty: id, exchangeTs: 1n, receiveTs: 2n }) as const
  for (let id = 0; id < 1_000; id++) while (!input.push(trade(id))) await new Promise(setImmediate)
  input.push(trade(2 ** 32))
  input.close()
  const report = await run.done()
  expect(report).toMatchObject({ balanced: true })
  expect(report.stages[1]).toMatchObject({ name: 'transactions', in: 1_001, consumed: 1_000, errors: 1 })
  expect(report.stages[1]?.firstError).toContain('4294967296')
  expect(report.nonDeterministic).toHaveLength(1)
  const got = output.popMany(2_000)
  expect(got).toHaveLength(1_000)
  expect(got[7]).toEqual({ id: 7, price: 107, size: 7, side: 'ask', instrument: 1, ingressTsNs: 2n })
})

test('a record that is none fails the run, and what stands behind it stays in the ring', async () => {
  const ring = new RingBuffer(Transaction, 8)
  const transaction = (id: number) => ({ id, price: 1, size: 1, side: 'bid', instrument: 0, ingressTsNs: 0 }) as const
  ring.pushMany([0, 1, 2, 3].map(transaction))
  new DataView(internals(ring as never).buffer).setUint8(SLOTS_AT + 2 * Transaction.byteLength + 20, 7)
  ring.close()
  const run = await pipeline('p').from(ring).to(count()).start()
  const error = await rejected(run.done())
  expect(error.cause).toMatchObject({ code: 'VELOX_RECORD_INVALID', context: { field: 'side' } })
  expect(ring.length).toBe(2)
})

test('memory that could be detached is no ring', async () => {
  const ring = new RingBuffer(Transaction, 8)
  const { buffer } = internals(ring as never)
  const disguised = new ArrayBuffer(buffer.byteLength)
  new Uint8Array(disguised).set(new Uint8Array(buffer))
  Object.setPrototypeOf(disguised, SharedArrayBuffer.prototype)
  Object.defineProperty(disguised, 'byteLength', { value: buffer.byteLength })
  expectCode(() => {
    const forged = RingBuffer.attach(Transaction, { ...ring.share(), buffer: disguised } as never)
    pipeline('p').from(forged).to(count())
  }, 'VELOX_INVALID_VALUE')
})

test('a run is stopped, drained and reported', async () => {
  const run = await pipeline('p')
    .from(poisson({ perSecond: 50_000, seed: 3 }))
    .trades()
    .to(discard())
    .start({ threads: 2 })
  const seen: number[] = []
  for await (const stats of run.stats({ everyMillis: 20 })) {
    seen.push(stats.stages[0]?.out ?? 0)
    if (seen.length === 5) void run.stop()
  }
  const report = await run.done()
  expect(report.balanced).toBe(true)
  expect(report.edges.every(({ inFlight }) => inFlight === 0)).toBe(true)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  expect(run.placement).toHaveLength(2)
  expect(await run.stop()).toMatchObject({ balanced: true })
})

test('signals stop and abort', async () => {
  const chain = pipeline('p')
    .from(poisson({ perSecond: 1_000 }))
    .to(discard())
  const stopped = await chain.start({ stopOn: AbortSignal.timeout(30) })
  expect((await stopped.done()).balanced).toBe(true)
  const abort = new AbortController()
  const aborted = await chain.start({ signal: abort.signal })
  abort.abort(new Error('enough'))
  const error = await rejected(aborted.done())
  expect([error.code, error.message]).toEqual(['VELOX_RUN_ABORTED', 'the run was aborted: enough'])
  expect((await rejected(chain.start({ signal: AbortSignal.abort() }))).code).toBe('VELOX_RUN_ABORTED')
})

test('a failed run that nobody waits for is no unhandled rejection', async () => {
  const path = file('corrupt.txt', [...lines.slice(0, 300), '1 {broken', ...lines.slice(300, 400)].join('\n'))
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  const run = await fourStages(path).chain.start()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(unhandled).toEqual([])
  const error = await rejected(run.done())
  expect(error.message).toContain('the stage replay failed')
  expect(error.message).toContain('corrupt.txt, line 301: expected')
  expect(error.cause).toMatchObject({ code: 'VELOX_CORRUPT_DATA', context: { line: 301 } })
  process.off('unhandledRejection', note)
})

test('data that can not be read is told by name', () => {
  expectCode(() => replay('no-such-day.gz').instrument(), 'VELOX_FILE_NOT_FOUND', 'no-such-day.gz')
  expectCode(() => replay(folder).instrument(), 'VELOX_FILE_UNREADABLE', folder)
  expectCode(() => replay(file('empty.txt', '')).instrument(), 'VELOX_CORRUPT_DATA', 'empty.txt, line 1')
  expectCode(() => replay(sample.btcusdt, { format: 'kraken' }).instrument(), 'VELOX_UNKNOWN_FORMAT', 'binance')
  expectCode(() => replay(sample.btcusdt, { symbols: ['ETHUSDT'] }).instrument(), 'VELOX_UNKNOWN_SYMBOL', 'BTCUSDT')
  expectCode(() => replay(sample.btcusdt).instrument('ETHUSDT'), 'VELOX_INVALID_VALUE', 'BTCUSDT')
})

test("an instrument of the user's own decides the steps", async () => {
  const instrument = new Instrument({ symbol: 'BTCUSDT', tick: '0.10', lot: '0.001' })
  const market = replay(sample.btcusdt, { instruments: [instrument] })
  expect(market.instrument().id).toBe(instrument.id)
  const coarse = new Instrument({ symbol: 'BTCUSDT', tick: '1', lot: '0.001' })
  const run = await pipeline('p')
    .from(replay(sample.btcusdt, { instruments: [coarse] }))
    .to(count())
    .start()
  expect((await rejected(run.done())).message).toContain('a multiple of 1')
})

test('options and steps that can not be are refused before anything runs', async () => {
  const p = pipeline('p')
  expectCode(() => replay('x', { paec: 'max' } as never), 'VELOX_UNKNOWN_OPTION', 'did you mean pace?')
  expectCode(() => replay('x', { pace: 'fast' as never }), 'VELOX_INVALID_VALUE', 'pace')
  expectCode(() => poisson({ perSecond: 0 }), 'VELOX_INVALID_VALUE', 'perSecond')
  expectCode(() => replay('x', { symbols: 'BTCUSDT' as never }), 'VELOX_INVALID_VALUE', 'symbols')
  expectCode(() => replay(new URL('http://x/y')), 'VELOX_INVALID_VALUE', 'file:')
  expectCode(() => count(''), 'VELOX_INVALID_VALUE', 'name')
  expectCode(() => poisson({ perSecond: 1, count: -1 }), 'VELOX_INVALID_VALUE', 'count')
  expectCode(() => p.from({} as never), 'VELOX_INVALID_VALUE', 'source')
  expectCode(() => p.from(poisson({ perSecond: 1 })).to({} as never), 'VELOX_INVALID_VALUE', 'sink')
  expectCode(
    () => p.from(poisson({ perSecond: 1 })).to(new RingBuffer(Trade, 4) as never),
    'VELOX_INVALID_VALUE',
    'a ring of MarketEvent',
  )
  const market = () => p.from(poisson({ perSecond: 1e6, count: 10 }))
  expectCode(() => market().to(count()).trades(), 'VELOX_INVALID_VALUE', 'no step after to()')
  expectCode(() => (market() as never as { transactions(): unknown }).transactions(), 'VELOX_INVALID_VALUE', 'Trade')
  expectCode(() => market().trades().transactions().bundle({ max: 0 }), 'VELOX_INVALID_VALUE', 'max')
  const chain = market().to(count())
  expectCode(() => market().tee((p) => p.trades()), 'VELOX_INVALID_VALUE', 'lead nowhere')
  expect((await rejected(chain.start({ threads: 3 }))).code).toBe('VELOX_PLACEMENT_INVALID')
  expect((await rejected(chain.start({ threads: [{ stages: ['count', 'poisson'] }] }))).code).toBe(
    'VELOX_PLACEMENT_INVALID',
  )
  expect((await rejected(chain.start({ threads: [{ stages: ['poisson', 'count'], core: 4_095 }] }))).code).toBe(
    'VELOX_PLACEMENT_INVALID',
  )
  expect((await rejected(chain.start({ threads: [null] as never }))).code).toBe('VELOX_INVALID_VALUE')
  const slow = pipeline('p')
    .from(poisson({ perSecond: 1e-300 }))
    .to(count())
  expect((await rejected(slow.start())).message).toContain('0.001 to 1e9')
  expect((await rejected(chain.start({ wait: 'sleep' as never }))).code).toBe('VELOX_INVALID_VALUE')
  expect((await rejected(chain.start({ thread: 1 } as never))).message).toContain('did you mean threads?')
  const report = await (
    await chain.start({ threads: [{ stages: ['poisson'], wait: 'yield' }, { stages: ['count'] }] })
  ).done()
  expect(report.stages[1]?.consumed).toBe(20)
})

test('every book is held to its own quotes, and one that disagrees is not hidden by another', async () => {
  const other = (line: string) => line.replaceAll('"BTCUSDT"', '"ETHUSDT"').replaceAll('btcusdt@', 'ethusdt@')
  const head = lines.slice(0, 8_000)
  const wrong = [...head]
  const at = wrong.findIndex((line, i) => i > 2_000 && line.includes('"depthUpdate"') && !line.includes('"b":[]'))
  wrong[at] = (wrong[at] as string).replace('"b":[', '"b":[["99999.90","1.000"],')
  const named = (line: string, symbol: string) =>
    line.includes('lastUpdateId') ? line.replace('{"lastUpdateId"', `{"symbol":"${symbol}","lastUpdateId"`) : line
  const both = head.flatMap((line, i) => [named(line, 'BTCUSDT'), other(named(wrong[i] as string, 'ETHUSDT'))])
  const market = replay(file('both.txt', both.join('\n')))
  const [btc, eth] = ['BTCUSDT', 'ETHUSDT'].map((symbol) => new L2Book({ instrument: market.instrument(symbol) })) as [
    L2Book,
    L2Book,
  ]
  const alone = await (await pipeline('p').from(market).book(btc, { verify: 'quotes' }).to(count()).start()).done()
  const chain = pipeline('p').from(market).book(btc, { verify: 'quotes' }).book(eth, { verify: 'quotes' })
  const report = await (await chain.to(count()).start()).done()
  expect(alone.verified?.agreed).toBe(alone.verified?.checked)
  expect(report.verified?.checked).toBe(2 * (alone.verified?.checked as number))
  expect(report.verified?.agreed).toBeLessThan(report.verified?.checked as number)
})

test('a number that contradicts the chain of depth events is a gap, and repeated data is told', async () => {
  const head = lines.slice(0, 8_000)
  const broken = [...head]
  const at = broken.findIndex((line, i) => i > 2_000 && line.includes('"depthUpdate"'))
  broken[at] = (broken[at] as string).replace(/"u":(\d+)/, '"u":9$1')
  const damaged = await (await fourStages(file('damaged.txt', broken.join('\n'))).chain.start()).done()
  expect(damaged).toMatchObject({ gaps: 1, balanced: true })
  const twice = await (await fourStages(file('twice.txt', [...head, ...head].join('\n'))).chain.start()).done()
  expect(twice.leftOut).toBeGreaterThan(500)
  expect(`${twice}`).toContain('left out: ')
})

test('a book of a market that the source does not have is refused', async () => {
  const own = new Instrument({ symbol: 'BTCUSDT', tick: '0.10', lot: '0.001' })
  const chain = (instrument: Instrument, market = replay(sample.btcusdt)) =>
    pipeline('p').from(market).book(new L2Book({ instrument }), { verify: 'quotes' }).to(count())
  const report = await (await chain(own).start()).done()
  expect(report.verified).toMatchObject({ checked: 423, agreed: 423 })
  const stranger = new Instrument({ symbol: 'ZZZ', tick: '0.10', lot: '0.001' })
  expect((await rejected(chain(stranger).start())).message).toContain('a book of a market of the source: BTCUSDT')
  expect((await rejected(chain(own, poisson({ perSecond: 1 })).start())).message).toContain('POISSON')
})

test('a signal that is none is refused before anything runs', async () => {
  const book = new L2Book({ instrument: poisson({ perSecond: 1 }).instrument() })
  const chain = pipeline('p')
    .from(poisson({ perSecond: 1_000 }))
    .book(book)
    .to(count())
  for (const signal of [{}, null, new AbortController()]) {
    expect((await rejected(chain.start({ signal } as never))).code).toBe('VELOX_INVALID_VALUE')
    expect((await rejected(chain.start({ stopOn: signal } as never))).code).toBe('VELOX_INVALID_VALUE')
  }
  book.set('bid', 1, 1)
  const run = await chain.start()
  run.abort(Object.create(null))
  expect((await rejected(run.done())).code).toBe('VELOX_RUN_ABORTED')
})

test('the same seed gives the same arrivals', async () => {
  const prices = async (seed: number) => {
    const ring = new RingBuffer(Transaction, 4096)
    const market = poisson({ perSecond: 1e5, count: 2_000, seed, pace: 'max' })
    await (await pipeline('p').from(market).trades().transactions().to(ring).start()).done()
    return ring.popMany(4096)
  }
  const first = await prices(1)
  expect(first).toHaveLength(2_000)
  expect(await prices(1)).toEqual(first)
  expect(await prices(2)).not.toEqual(first)
})

test('a run is disposed of by stopping it', async () => {
  let report: Promise<unknown>
  {
    await using run = await pipeline('p')
      .from(poisson({ perSecond: 1_000 }))
      .to(discard())
      .start()
    report = run.done()
  }
  expect(await report).toMatchObject({ balanced: true })
})
