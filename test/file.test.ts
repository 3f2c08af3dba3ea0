import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  bool,
  count,
  f64,
  fromIterable,
  Instrument,
  L2Book,
  MarketEvent,
  nanos,
  pipeline,
  record,
  replay,
  sample,
  side,
  Trade,
  text,
  toFile,
  u64,
} from 'velox-engine'
import { afterAll, expect, test } from 'vitest'
import { expectCode, rejected } from './support/errors.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
/** The lines of a file of text, the first apart. */
function csv(path: string): { header: string; rows: string[] } {
  const [header = '', ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n')
  return { header, rows }
}

const market = () => pipeline('market').from(replay(sample.btcusdt))
const done = async (p: { start(): Promise<{ done(): Promise<unknown> }> }) => (await p.start()).done()

test('events in a .velox file replay to the same bundles, checks and book', async () => {
  const path = at('sample.velox')
  await done(market().to(toFile(pathToFileURL(path))))
  const four = async (from: string | URL) => {
    const source = replay(from)
    const book = new L2Book({ instrument: source.instrument() })
    const chain = pipeline('four').from(source).book(book, { verify: 'quotes' }).trades().transactions().bundle()
    const bundles: unknown[] = []
    const run = await chain.start()
    for await (const batch of run.batches()) bundles.push(...batch.toArray())
    return { bundles, top: book.top(), report: await run.done() }
  }
  const [expected, got] = [await four(sample.btcusdt), await four(path)]
  expect(got.report).toMatchObject({ balanced: true, verified: { checked: 423, agreed: 423 }, nonDeterministic: [] })
  expect(got.bundles).toEqual(expected.bundles)
  expect(got.top).toEqual(expected.top)
  const source = replay(path)
  expect(source.instrument().id).toBe(replay(sample.btcusdt).instrument().id)
})

test('events in a .csv file are the events, by the names of their fields', async () => {
  const path = at('events.csv')
  const events = await market().sampleEvery(100).toArray()
  await done(market().sampleEvery(100).to(toFile(path)))
  const { header, rows } = csv(path)
  expect(header).toBe('kind,venue,symbol,side,flags,price,qty,sequence,exchangeTs,receiveTs')
  const { venue, symbol } = replay(sample.btcusdt).instrument()
  expect(rows).toEqual(
    events.map((event) =>
      header
        .split(',')
        .map((field) => ({ ...event, venue, symbol })[field])
        .join(),
    ),
  )
  expect(rows.length).toBeGreaterThan(500)
})

test('trades are written in both formats, and only events replay', async () => {
  const run = market()
    .trades()
    .tee((all) => all.to(toFile(at('trades.velox'))))
    .to(toFile(at('trades.csv')))
  const report = await (await run.start()).done()
  expect(report.balanced).toBe(true)
  const { header, rows } = csv(at('trades.csv'))
  expect(header).toBe('id,venue,symbol,side,price,qty,exchangeTs,receiveTs')
  expect(rows).toHaveLength(11_463)
  const path = at('trades.velox')
  expectCode(
    () => replay(path).instrument(),
    'VELOX_INVALID_VALUE',
    'a recording of MarketEvent',
    `${path}, one of Trade`,
  )
})

test('a bundle is one line a transaction', async () => {
  const bundles = await market().trades().transactions().bundle().toArray()
  await done(
    market()
      .trades()
      .transactions()
      .bundle()
      .to(toFile(at('bundles.csv'))),
  )
  await done(
    market()
      .trades()
      .transactions()
      .bundle()
      .to(toFile(at('bundles.velox'))),
  )
  const { header, rows } = csv(at('bundles.csv'))
  expect(header).toBe('bundle,createdTsNs,id,price,size,side,venue,symbol,ingressTsNs')
  const { venue, symbol } = replay(sample.btcusdt).instrument()
  const expected = bundles.flatMap(({ createdTsNs, transactions }, i) =>
    transactions.map((t) => [i + 1, createdTsNs, t.id, t.price, t.size, t.side, venue, symbol, t.ingressTsNs].join()),
  )
  expect(rows).toEqual(expected)
})

const Note = record('Note', {
  id: u64,
  text: text(40),
  side,
  value: f64,
  sure: bool,
  when: nanos,
})

test('records of your own, with texts, are written', async () => {
  const note = { id: 1, side: 'ask', value: 0.1, sure: true, when: 5n } as const
  const texts = ['plain', 'a "b", c\nd', 'ü €', '']
  const notes = texts.map((text, i) => ({ ...note, id: i, text }))
  await done(
    pipeline('notes')
      .from(fromIterable(Note, notes))
      .to(toFile(at('notes.csv'))),
  )
  expect(readFileSync(at('notes.csv'), 'utf8')).toBe(
    [
      'id,text,side,value,sure,when',
      '0,plain,ask,0.1,true,5',
      '1,"a ""b"", c\nd",ask,0.1,true,5',
      '2,ü €,ask,0.1,true,5',
      '3,,ask,0.1,true,5',
      '',
    ].join('\n'),
  )
  const path = at('notes.velox')
  await done(pipeline('notes').from(fromIterable(Note, notes)).to(toFile(path)))
  expect(readFileSync(path).subarray(0, 8).toString()).toBe('VELOXREC')
  expectCode(() => replay(path).instrument(), 'VELOX_INVALID_VALUE', 'one of Note')
  await done(
    pipeline('numbers')
      .from(fromIterable(f64, [1, 2.5, -1e300, 1e-7]))
      .to(toFile(at('numbers.csv'))),
  )
  expect(csv(at('numbers.csv'))).toEqual({ header: 'value', rows: ['1', '2.5', '-1e300', '1e-7'] })
})

const Priced = record('Priced', { id: u64, notional: f64, large: bool })

test('what a map makes is written', async () => {
  const trades = await market().trades().toArray()
  const made = market()
    .trades()
    .map(Priced, (t) => ({ id: t.id, notional: t.price.mul(t.qty).toF64(), large: t.qty.gt(1_000) }))
  await done(made.to(toFile(at('priced.csv'))))
  const rows = trades.map(({ id, price, qty }) => [id, price * qty, qty > 1_000].join())
  expect(csv(at('priced.csv'))).toEqual({ header: 'id,notional,large', rows })
})

const event = (instrument: number, receiveTs: bigint) =>
  ({
    kind: 'trade',
    instrument,
    side: 'bid',
    flags: 0,
    price: 1,
    qty: 2,
    sequence: 3,
    exchangeTs: 0n,
    receiveTs,
  }) as const

test('symbols and instruments are chosen as with lines', async () => {
  const path = at('two.velox')
  const [a, b] = ['FILEA', 'FILEB'].map(
    (symbol) => new Instrument({ symbol, venue: 'test', tick: '0.25', lot: '2' }),
  ) as [Instrument, Instrument]
  const events = [event(a.id, 1n), event(b.id, 2n), event(b.id, 3n)]
  await done(pipeline('two').from(fromIterable(MarketEvent, events)).to(toFile(path)))
  expect(
    await pipeline('b')
      .from(replay(path, { symbols: ['FILEB'] }))
      .toArray(),
  ).toEqual(events.slice(1))
  expectCode(() => replay(path, { symbols: ['FILEC'] }).instrument(), 'VELOX_UNKNOWN_SYMBOL', 'FILEA, FILEB')
  expectCode(
    () => replay(path, { format: 'csv' }).instrument(),
    'VELOX_UNKNOWN_FORMAT',
    'binance, capture, messages, velox',
  )
  const finer = new Instrument({ symbol: 'FILEA', venue: 'test', tick: '0.01', lot: '2' })
  expectCode(() => replay(path, { instruments: [finer] }).instrument(), 'VELOX_INVALID_VALUE', 'tick 0.25', 'tick 0.01')
})

test('a file that was cut off gives what is whole, then fails the run with its record', async () => {
  const path = at('cut.velox')
  const events = Array.from({ length: 1_500 }, (_, i) => event(0, BigInt(i + 1)))
  await done(pipeline('whole').from(fromIterable(MarketEvent, events)).to(toFile(path)))
  truncateSync(path, readFileSync(path).length - 40)
  const run = await pipeline('cut').from(replay(path)).to(count()).start()
  const error = await rejected(run.done())
  expect(error).toMatchObject({ code: 'VELOX_STAGE_FAILED', context: { stage: 'replay' } })
  expect(error.cause).toMatchObject({ code: 'VELOX_CORRUPT_DATA', context: { path, line: 1_025 } })
  expect((error.cause as Error).message).toContain('cut off')
})

test('a path that can not be written is refused before anything runs', async () => {
  for (const path of [join(folder, 'no', 'such', 'day.csv'), at('folder.velox')]) {
    if (path.endsWith('folder.velox')) symlinkSync(folder, path)
    const error = await rejected(market().to(toFile(path)).start())
    expect(error).toMatchObject({ code: 'VELOX_FILE_UNWRITABLE', context: { path } })
  }
  expectCode(() => toFile(at('day.txt')), 'VELOX_INVALID_VALUE', "'.csv' or '.velox'")
})

test.skipIf(process.platform !== 'linux')('a full disk fails the run by the step, with path and reason', async () => {
  const path = at('full.csv')
  symlinkSync('/dev/full', path)
  const error = await rejected(
    market()
      .to(toFile(path), { name: 'out' })
      .start()
      .then((run) => run.done()),
  )
  expect(error).toMatchObject({ code: 'VELOX_STAGE_FAILED', context: { stage: 'out' } })
  expect(error.cause).toMatchObject({ code: 'VELOX_FILE_UNWRITABLE', context: { path } })
  expect((error.cause as Error).message).toMatch(/space/)
})

test('a file that the pipeline reads, or writes twice, is left alone', async () => {
  const path = at('kept.velox')
  await done(
    pipeline('kept')
      .from(fromIterable(MarketEvent, [event(0, 1n)]))
      .to(toFile(path)),
  )
  const before = readFileSync(path)
  symlinkSync(path, at('other.velox'))
  const same = pipeline('same')
    .from(replay(path))
    .to(toFile(at('other.velox')))
  expect((await rejected(same.start())).message).toContain('a file other than that of the step replay')
  const twice = market()
    .tee((all) => all.to(toFile(path), { name: 'one' }))
    .to(toFile(path), { name: 'two' })
  expect((await rejected(twice.start())).code).toBe('VELOX_INVALID_VALUE')
  expect(readFileSync(path)).toEqual(before)
})

test('what a file held before is gone', async () => {
  const path = at('again.csv')
  writeFileSync(path, 'x'.repeat(100_000))
  await done(pipeline('none').from(fromIterable(Trade, [])).to(toFile(path)))
  expect(readFileSync(path, 'utf8')).toBe('id,venue,symbol,side,price,qty,exchangeTs,receiveTs\n')
})
