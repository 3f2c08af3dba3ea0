// What `velox top` makes of readings, without an engine.
import { EventEmitter } from 'node:events'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { draw } from '../dist/cli/draw.js'
import type { Reading } from '../dist/cli/engines.js'
import { type Sample, sampleOf } from '../dist/cli/sample.js'
import { isScreen, lookOf, Screen } from '../dist/cli/screen.js'
import { count, cut, percent, rate, time, width } from '../dist/cli/text.js'

const percentiles = {
  min: 90,
  p50: 275,
  p90: 1_000,
  p99: 14_970,
  p999: 2_500_000,
  max: 12_000_000,
  mean: 400,
  count: 99,
}
const account = { consumed: 0, filtered: 0, conflated: 0, errors: 0, held: 0 }

function reading(o: Partial<Reading> = {}): Reading {
  return {
    run: 'arbitrage',
    pid: 4711,
    startedMillis: 1_000,
    state: 'running',
    elapsedNanos: 2e9,
    stages: [
      { ...account, name: 'replay', in: 4_000, out: 4_000, consumed: 4_000, busy: 0.25 },
      {
        ...account,
        name: 'filter',
        in: 4_000,
        out: 1_000,
        consumed: 1_000,
        filtered: 2_993,
        errors: 7,
        busy: 0.5,
        latencyNanos: percentiles,
        latencyNowNanos: { ...percentiles, p50: 301, p99: 9_999, max: 12_345 },
      },
    ],
    edges: [
      {
        from: 'replay',
        to: 'filter',
        offered: 4_002,
        pushed: 4_000,
        popped: 3_990,
        dropped: 2,
        inFlight: 10,
        highWater: 64,
      },
    ],
    threads: [
      {
        stages: ['replay', 'filter'],
        busy: 0.75,
        asleep: false,
        beatAgeNanos: 1_500,
        stalls: { count: 3, totalNanos: 60_000, maxNanos: 30_000 },
      },
    ],
    books: [{ name: 'book', symbol: 'BTCUSDT', state: 'stale', ageNanos: 7_321e9, sequence: 123_456_789 }],
    endToEndNanos: percentiles,
    endToEndNowNanos: { ...percentiles, p50: 301, p99: 9_999, max: 12_345 },
    hiccupNanos: percentiles,
    topology: {
      stages: ['replay', 'filter'],
      edges: [{ from: 'replay', to: 'filter', whenFull: 'drop', capacity: 256, crossesThreads: false }],
    },
    placement: [{ core: 1, wait: 'spin' }],
    ...o,
  }
}

const wide = { columns: Number.POSITIVE_INFINITY, color: false }
const since = (now: Reading, before?: Reading): Sample => sampleOf(now, before, 5_000)

test('rates and busy shares are of the time since the reading before, and of the first since the start', () => {
  const before = reading()
  const [replay, filter] = before.stages as [Reading['stages'][0], Reading['stages'][0]]
  const now = reading({
    elapsedNanos: 4e9,
    // Busy 0.5 s of the first two, 1.5 s of the next two.
    stages: [{ ...replay, in: 5_000, out: 4_500, busy: 0.5 }, filter],
    edges: [{ ...(before.edges[0] as Reading['edges'][0]), pushed: 5_000, dropped: 12 }],
  })
  expect(since(before).stages[0]).toMatchObject({ inPerSecond: 2_000, outPerSecond: 2_000, busyNow: 0.25 })
  const sample = since(now, before)
  expect(sample.stages[0]).toMatchObject({ in: 5_000, inPerSecond: 500, outPerSecond: 250, busy: 0.5, busyNow: 0.75 })
  expect(sample.stages[1]).toMatchObject({ inPerSecond: 0, busyNow: 0.5 })
  expect(sample.edges[0]).toMatchObject({ fill: 10 / 256, pushedPerSecond: 500, droppedPerSecond: 5 })
  expect(sample.threads[0]?.busyNow).toBe(0.75)
  expect(since(now, now).stages[0]).toMatchObject({ inPerSecond: 0, busyNow: 0 })
  expect(since(reading({ elapsedNanos: 0 })).stages[0]).toMatchObject({ inPerSecond: 0, busyNow: 0 })
})

test('a sample is drawn as one table a part', () => {
  expect(draw(since(reading()), wide)).toMatchInlineSnapshot(`
    [
      "arbitrage  pid 4711  up 2.00s",
      "lost: 2 dropped, 7 errors; stale: BTCUSDT",
      "2.00k/s in  p99 now 10.0µs  busiest filter 50%",
      "",
      "stage     in/s   out/s  consumed  filtered  errors    held   busy  p50 now  p99 now     p50     p99",
      "replay   2.00k   2.00k      4000         0       0       0    25%        -        -       -       -",
      "filter   2.00k     500      1000      2993       7       0    50%    301ns   10.0µs   275ns  15.0µs",
      "",
      "edge               in/s  in flight    fill  high water  dropped  dropped/s",
      "replay → filter   2.00k         10    3.9%          64        2       1.00",
      "",
      "latency     p50 now  p99 now  max now     p50     p90     p99   p99.9     max   count",
      "end to end    301ns   10.0µs   12.3µs   275ns  1.00µs  15.0µs  2.50ms  12.0ms      99",
      "hiccups           -        -        -   275ns  1.00µs  15.0µs  2.50ms  12.0ms      99",
      "",
      "thread    core    busy    beat  stalls  longest  stages",
      "spin         1     75%  1.50µs       3   30.0µs  replay filter",
      "",
      "book  symbol   state     age   sequence",
      "book  BTCUSDT  stale   2h02m  123456789",
    ]
  `)
})

test('what few runs have is drawn for those only', () => {
  const [, filter] = reading().stages as [unknown, Reading['stages'][0]]
  const stages = [{ ...filter, conflated: 1_234_567, stuck: true }]
  const lines = draw(since(reading({ stages, edges: [], books: [] })), wide)
  const at = lines.findIndex((line) => line.startsWith('stage'))
  expect(lines[at]).toMatch(/filtered +conflated +errors/)
  expect(lines[at + 1]).toMatch(/^filter .* 2993 +1\.23M +7 +0 +stuck +301ns +10\.0µs +275ns +15\.0µs$/)
  expect(lines.some((line) => /^(edge|book)/.test(line))).toBe(false)
})

test('an edge that blocks has nothing to drop, one that drops says how much', () => {
  const drops = since(reading())
  const [edge] = drops.edges as [Sample['edges'][0]]
  const blocks = { ...drops, edges: [{ ...edge, dropped: 0 }] } as Sample
  const topology = {
    ...drops.topology,
    edges: drops.topology.edges.map((of) => ({ ...of, whenFull: 'block' as const })),
  }
  const line = (sample: Sample) => draw(sample, wide).find((line) => line.startsWith('replay →'))
  expect(line(drops)).toMatch(/ 10 +3\.9% +64 +2 +1\.00$/)
  expect(line(blocks)).toMatch(/ 64 +0 +1\.00$/)
  expect(line({ ...blocks, topology })).toMatch(/ 64 +- +1\.00$/)
})

test('a live market has a line: how many books are right, how old its data is, what was lost', () => {
  const [replay, filter] = reading().stages as [Reading['stages'][0], Reading['stages'][0]]
  const live: NonNullable<Reading['stages'][0]['live']> = {
    venue: 'binance-usdm',
    state: 'connected',
    ageMillis: 12,
    messages: 3_000,
    bytes: 1e6,
    events: 5_000,
    connections: 3,
    connectionErrors: 2,
    gaps: 1,
    checksums: 0,
    errors: 0,
    overflows: 0,
    dropped: 4,
    snapshots: 3,
    restErrors: 0,
    recordedBytes: 0,
    symbols: [
      { symbol: 'BTCUSDT', state: 'live', ageMillis: 12 },
      { symbol: 'ETHUSDT', state: 'stale', ageMillis: 900 },
    ],
  }
  const before = reading({ stages: [{ ...replay, name: 'live', live: { ...live, messages: 1_000 } }, filter] })
  const now = reading({ elapsedNanos: 4e9, stages: [{ ...replay, name: 'live', live }, filter] })
  const lines = draw(since(now, before), wide)
  const at = lines.findIndex((line) => line.startsWith('market'))
  expect(lines.slice(at, at + 2)).toMatchInlineSnapshot(`
    [
      "market  venue         state        live   msg/s     age  reconnects    gaps  dropped  errors  checksums",
      "live    binance-usdm  connected     1/2   1.00k  12.0ms           2       1        4       0          0",
    ]
  `)
  const colored = draw(since(now, before), { ...wide, color: true })[at + 1] as string
  const red = colored.split('\x1b[31m').slice(1)
  expect(red.map((text) => text.split('\x1b')[0]?.trim())).toEqual(['1/2', '1', '4'])
  expect(lines[1]).toBe('lost: 2 dropped, 7 errors, 1 gap and 1 more; stale: BTCUSDT, ETHUSDT')
  const [away, more] = [
    { ...live, state: 'connecting' as const },
    { gaps: 0, dropped: 0, errors: 1, checksums: 2 },
  ]
  const refused = reading({ edges: [], books: [], stages: [{ ...replay, name: 'live', live: { ...away, ...more } }] })
  expect(draw(since(refused), wide)[1]).toBe(
    'lost: 1 bad message, 2 wrong checksums; not connected: live (2 failed); stale: ETHUSDT',
  )
  for (const line of draw(since(now, before), { columns: 80, color: false }))
    expect([...line].length).toBeLessThanOrEqual(80)
})

test('an end is told under the title', () => {
  const told = (o: Partial<Reading>) => draw(since(reading({ edges: [], books: [], stages: [], ...o })), wide)[1]
  expect(told({ state: 'done' })).toBe('the run has ended')
  expect(told({ state: 'aborted' })).toBe('the run was aborted')
  expect(told({ state: 'failed', failedStage: 'filter' })).toBe('the run has failed in filter')
  const gone: Sample = { ...since(reading()), state: 'gone', message: 'process 4711 is gone' }
  expect(draw(gone, wide).slice(2, 4)).toEqual(['gone: process 4711 is gone', ''])
  expect(draw(gone, wide, true).slice(2, 5)).toEqual(['gone: process 4711 is gone', 'waits for it to start again', ''])
})

test('under the title stands what was lost, and else that nothing was, and whether it keeps up', () => {
  const [replay, filter] = reading().stages as [Reading['stages'][0], Reading['stages'][0]]
  const [edge] = reading().edges as [Reading['edges'][0]]
  const topology = {
    stages: ['replay', 'filter'],
    edges: [{ from: 'replay', to: 'filter', whenFull: 'drop' as const, capacity: 256, crossesThreads: true }],
  }
  const well = { stages: [replay, { ...filter, errors: 0 }], edges: [{ ...edge, dropped: 0 }], books: [], topology }
  const lines = (o: Partial<Reading>) => draw(since(reading({ ...well, ...o })), wide).slice(1, 3)
  const pace = '2.00k/s in  p99 now 10.0µs  busiest filter 50%  fullest replay → filter 3.9%'
  expect(lines({})).toEqual([`nothing lost  ${pace}`, ''])
  expect(lines({ stages: [replay, { ...filter, errors: 0, stuck: true }] })).toEqual(['stuck: filter', pace])
  const books = ['A', 'B', 'B', 'C', 'D', 'E'].map(
    (symbol) => ({ ...reading().books[0], symbol }) as Reading['books'][0],
  )
  expect(lines({ books })).toEqual(['stale: A, B, C and 2 more', pace])
  expect(lines({ edges: [edge] })).toEqual(['lost: 2 dropped', pace])
})

test('80 columns hold every number of a stage, long names are cut', () => {
  const name = 'a-stage-with-quite-a-long-name'
  const stages = reading().stages.map((stage) => ({
    ...stage,
    name,
    in: 123_456_789,
    consumed: 123_456_789,
    held: 65_536,
  }))
  const lines = draw(since(reading({ stages })), { columns: 80, color: false })
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  // What is since the start gives way to what is now.
  expect(lines[6]).toMatch(/^a-stage-\S*… .* 123M .* 65536 +50% +301ns +10\.0µs$/)
})

test('no line is wider than the terminal, whatever its width', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.string({ unit: 'grapheme' }), (columns, name) => {
      const stages = reading().stages.map((stage) => ({ ...stage, name }))
      for (const line of draw(since(reading({ stages, run: name })), { columns, color: false }))
        expect(width(line)).toBeLessThanOrEqual(columns)
    }),
  )
})

test('names in wide characters stand in their columns', () => {
  expect(['BTC', '币安人生USDT', 'é', '가나', '🚀 x'].map(width)).toEqual([3, 12, 1, 4, 4])
  expect(['币安人生', '币安人生', '币', 'e\u0301tale'].map((text, i) => cut(text, [8, 6, 1, 3][i] as number))).toEqual([
    '币安人生',
    '币安…',
    '…',
    'e\u0301t…',
  ])
  const [book] = reading().books as [Reading['books'][0]]
  const books = ['币安人生USDT', 'BTCUSDT'].map((symbol) => ({ ...book, symbol }))
  const lines = draw(since(reading({ books })), wide).slice(-2)
  expect(lines.map((line) => width(line.slice(0, line.indexOf('stale'))))).toEqual([20, 20])
  const stages = reading().stages.map((stage) => ({ ...stage, name: '币安人生'.repeat(20) }))
  for (const line of draw(since(reading({ stages })), { columns: 80, color: false }))
    expect(width(line)).toBeLessThanOrEqual(80)
})

test('names command no terminal', () => {
  const run = 'a\x1b[2J\r\n\u202e\x9b1m'
  const lines = draw(since(reading({ run })), wide)
  expect(lines[0]).toBe('a�[2J����1m  pid 4711  up 2.00s')
})

test('losses are red, and only where colour is wanted', () => {
  const lines = draw(since(reading()), { ...wide, color: true })
  expect(lines.filter((line) => line.includes('\x1b[31m'))).toHaveLength(4)
  expect(lines.map(stripVTControlCharacters)).toEqual(draw(since(reading()), wide))
})

afterEach(() => vi.unstubAllEnvs())

test('colour is for terminals, unless NO_COLOR or a dumb one says otherwise', () => {
  vi.stubEnv('NO_COLOR', '')
  vi.stubEnv('TERM', 'xterm')
  expect(lookOf({ isTTY: true, columns: 90 })).toEqual({ columns: 90, color: true })
  expect(lookOf({ isTTY: true, columns: 0 }).columns).toBe(80)
  expect(lookOf({})).toEqual({ columns: Number.POSITIVE_INFINITY, color: false })
  vi.stubEnv('TERM', 'dumb')
  expect(lookOf({ isTTY: true, columns: 90 }).color).toBe(false)
  expect(isScreen({ isTTY: true })).toBe(false)
  vi.stubEnv('TERM', 'xterm')
  expect([isScreen({ isTTY: true }), isScreen({})]).toEqual([true, false])
  vi.stubEnv('NO_COLOR', '1')
  expect(lookOf({ isTTY: true, columns: 90 }).color).toBe(false)
})

/** A terminal that keeps what is written to it, and its keyboard. */
function terminal(rows: number) {
  const written: string[] = []
  const out = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns: 80,
    rows,
    write: (text: string) => written.push(text),
  })
  const modes: boolean[] = []
  const keys = new EventEmitter()
  const setRawMode = (mode: boolean) => {
    modes.push(mode)
    return keys
  }
  Object.assign(keys, { isTTY: true, setRawMode, resume: () => keys, pause: () => keys })
  return { written, modes, out: out as unknown as WriteStream, keys: keys as unknown as ReadStream }
}

test('a screen is drawn in place, cut to its height, and gives the terminal back', () => {
  const { written, modes, out, keys } = terminal(3)
  const ended = vi.fn()
  const screen = new Screen(out, keys, ended)
  screen.show(['1', '2', '3'])
  expect(written.at(-1)).toBe('\x1b[H1\x1b[K\n2\x1b[K\n3\x1b[K\x1b[J')
  screen.show(['1', '', '2', '', '3'])
  expect(written.at(-1)).toBe('\x1b[H1\x1b[K\n2\x1b[K\n3\x1b[K\x1b[J')
  screen.show(['1', '2', '3', '4'])
  expect(written.at(-1)).toBe('\x1b[H1\x1b[K\n2\x1b[K\n…\x1b[K\x1b[J')
  keys.emit('data', Buffer.from('x'))
  expect(ended).not.toHaveBeenCalled()
  for (const key of ['q', '\x03']) keys.emit('data', Buffer.from(key))
  expect(ended).toHaveBeenCalledTimes(2)
  screen.close()
  expect(modes).toEqual([true, false])
  expect([written[0], written.at(-1)]).toEqual(['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l'])
  const before = written.length
  out.emit('resize')
  expect(written).toHaveLength(before)
})

test('numbers fit six letters and keep three digits', () => {
  expect([0, 7, 99_999, 100_000, 999_499, 999_500, 1.5e9, 9e15].map(count)).toEqual([
    '0',
    '7',
    '99999',
    '100k',
    '999k',
    '1.00M',
    '1.50G',
    '9.00P',
  ])
  expect([0, 0.5, 12.34, 999.4, 999.6, 39_512].map(rate)).toEqual(['0', '0.50', '12.3', '999', '1.00k', '39.5k'])
  expect([0, 0.0034, 0.0994, 0.0996, 0.5, 1].map(percent)).toEqual(['0%', '0.3%', '9.9%', '10%', '50%', '100%'])
  expect([0, 275, 999, 999.6, 14_970, 1.5e6, 59.4e9, 59.6e9, 125e9, 3_725e9, 1e15].map(time)).toEqual([
    '0ns',
    '275ns',
    '999ns',
    '1.00µs',
    '15.0µs',
    '1.50ms',
    '59.4s',
    '1m00s',
    '2m05s',
    '1h02m',
    '277h46m',
  ])
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), (n) => count(n).length <= 6))
})
