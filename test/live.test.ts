import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  count,
  discard,
  Instrument,
  L2Book,
  MarketEvent,
  pipeline,
  type Run,
  replay,
  type VeloxError,
} from 'velox-engine'
import { Feed, live, type Venue, venues } from 'velox-engine/feed'
import { expect, test } from 'vitest'
import { rejected } from './support/errors.js'
import { epochNanos } from './support/exchange/clock.js'
import { type Exchange, hasCapture, readCapture, startExchange } from './support/exchange/index.js'
import { node, root } from './support/node.js'
import { until } from './support/until.js'

const all = Object.keys(venues) as Venue[]
const DEPTH = 20
/** How far two clocks of one machine may be apart. */
const CLOCKS_NANOS = 1_000_000n
/** Once a fault is over a book is live and right again within this. */
const MEND_MILLIS = 5_000

const marketOf = (exchange: Exchange, venue: Venue, o: { record?: string; signal?: AbortSignal } = {}) =>
  live({ venue, symbols: exchange.symbols, url: exchange.url, restUrl: exchange.restUrl, ...o })

/** A run that keeps the book of each symbol of an exchange. */
async function follow(exchange: Exchange, venue: Venue, o: { record?: string; signal?: AbortSignal } = {}) {
  const market = marketOf(exchange, venue, o)
  const books = exchange.symbols.map((symbol) => new L2Book({ instrument: market.instrument(symbol) }))
  const chain = books.reduce((p, book) => p.book(book), pipeline('live').from(market))
  return { run: await chain.to(discard()).start(), books }
}

const decimals = (levels: readonly (readonly string[])[]) => levels.map(([p, q]) => [Number(p), Number(q)])

function levelsOf(book: L2Book, depth = DEPTH) {
  const { instrument } = book
  const { bids, asks } = book.depth(depth)
  const told = (levels: typeof bids) =>
    levels.map(({ price, qty }) => [Number(instrument.formatPrice(price)), Number(instrument.formatQty(qty))])
  return JSON.stringify({ bids: told(bids), asks: told(asks) })
}

function truthOf(exchange: Exchange, book: L2Book) {
  const { bids, asks } = exchange.truth(book.instrument.symbol, DEPTH)
  return JSON.stringify({ bids: decimals(bids), asks: decimals(asks) })
}

const isLive = (books: readonly L2Book[]) => books.every((book) => book.state === 'live')

/** Whether a live book's best levels are what they were at its own sequence number. */
function isRight(exchange: Exchange, book: L2Book): boolean {
  const top = book.top()
  if (!top) return true
  const { bids, asks } = exchange.truthAt(book.instrument.symbol, top.sequence, 1)
  const { instrument } = book
  const level = (price: number, qty: number) => [instrument.formatPrice(price), instrument.formatQty(qty)].map(Number)
  const own = [level(top.bid, top.bidQty), level(top.ask, top.askQty)]
  return JSON.stringify(own) === JSON.stringify([...decimals(bids), ...decimals(asks)])
}

const statusOf = async (run: Run<never>) => {
  for await (const { stages } of run.stats({ everyMillis: 1 })) return stages[0]?.live
  return undefined
}

test.for(all)('%s: the books of a live market are the exchange’s, and its stats say so', async (venue) => {
  await using exchange = await startExchange({ venue, market: 'synthetic', rate: 4_000, restDelayMs: 20 })
  const { run, books } = await follow(exchange, venue)
  await until(() => isLive(books))
  await delay(300)
  const running = await statusOf(run as never)
  for (const told of [running, ...(running?.symbols ?? [])]) expect(told?.ageMillis).toBeLessThan(5_000)
  exchange.run(0)
  await until(() => books.every((book) => levelsOf(book) === truthOf(exchange, book)))
  const status = await statusOf(run as never)
  expect(status).toMatchObject({ state: 'connected', connections: 1, gaps: 0, checksums: 0, errors: 0, dropped: 0 })
  expect(status?.symbols.map(({ symbol, state }) => [symbol, state])).toEqual(
    exchange.symbols.map((symbol) => [symbol, 'live']),
  )
  expect(status?.symbols[0]?.ageMillis).toBeGreaterThan(0)
  const report = await run.stop()
  expect(report.balanced).toBe(true)
  expect(report.nonDeterministic.join()).toContain('live')
  expect(String(report)).toMatch(/live: ended, connections 1, messages \d+: gaps 0, /)
})

/** How long those faults last that are not over at once. A stall is longer than a silence without a ping. */
const LASTS_MILLIS: Record<string, number> = {
  'a stall': 1_700,
  'REST that is down': 800,
  'a server that is away': 800,
}

const FAULTS: Record<string, (exchange: Exchange, millis: number) => void> = {
  'a lost event': (exchange) => exchange.dropNext(),
  'events out of order': (exchange) => exchange.swapNext(),
  'a repeated event': (exchange) => exchange.repeatNext(),
  'a connection cut amid a message': (exchange) => exchange.cut(),
  garbage: (exchange) => exchange.garbage(),
  'a close by the server': (exchange) => exchange.closeAll(),
  'a busy REST': (exchange) => {
    exchange.rest429(2, 0)
    exchange.cut()
  },
  'an old snapshot': (exchange) => {
    exchange.oldSnapshot(2)
    exchange.cut()
  },
  'a stall': (exchange, millis) => exchange.stall(millis),
  'REST that is down': (exchange, millis) => {
    exchange.restDown(millis)
    exchange.cut()
  },
  'a server that is away': (exchange, millis) => {
    exchange.refuseConnections(millis)
    exchange.cut()
  },
}

/**
 * Events without the exchange's own numbers, to find the truth of that moment by: Kraken's checksums hold a book to it;
 * Coinbase counts the messages of each connection, which the tests of its decoder hold to.
 */
const UNNUMBERED: readonly Venue[] = ['kraken', 'coinbase']
test.for(all.filter((venue) => !UNNUMBERED.includes(venue)))(
  '%s: an event is stamped after it was sent, and before it is read',
  async (venue) => {
    await using exchange = await startExchange({ venue, market: 'synthetic', rate: 1_000, stamps: 50_000 })
    const market = marketOf(exchange, venue)
    const symbols = new Map(exchange.symbols.map((symbol) => [market.instrument(symbol).id, symbol]))
    const run = await pipeline('stamps').from(market).start()
    let compared = 0
    for await (const batch of run.batches()) {
      const now = epochNanos()
      for (let i = 0; i < batch.length; i++) {
        if (batch.kind(i) !== 'level') continue
        const sent = exchange.sentAt(symbols.get(batch.instrument(i)) as string, batch.sequence(i))
        if (sent === undefined) continue
        const received = batch.receiveTs(i)
        expect(received).toBeGreaterThanOrEqual(sent - CLOCKS_NANOS)
        expect(received).toBeLessThanOrEqual(now + CLOCKS_NANOS)
        compared += 1
      }
      if (compared > 500) break
    }
    await run.stop()
  },
)

/** A connection that stood so long with every book live was good: the next fault is its first. */
const GOOD_MILLIS = 1_100
/** Faults that take several tries to mend, and are told apart from those before by a good connection between. */
const SEVERAL_TRIES = ['a busy REST', 'an old snapshot', 'REST that is down', 'a server that is away']

for (const venue of all) {
  test(`${venue}: after each fault the books are right again, and never wrong in between`, {
    timeout: 120_000,
  }, async () => {
    await using exchange = await startExchange({ venue, market: 'synthetic', rate: 500, levels: 20 })
    const { run, books } = await follow(exchange, venue)
    await until(() => isLive(books))
    for (const [name, fault] of Object.entries(FAULTS)) {
      if (SEVERAL_TRIES.includes(name)) await delay(GOOD_MILLIS)
      const lasts = LASTS_MILLIS[name] ?? 0
      fault(exchange, lasts)
      const ends = Date.now() + lasts
      let over = Infinity
      let seen = 0
      let isMended = false
      while (!isMended) {
        if (!UNNUMBERED.includes(venue))
          for (const book of books) expect(isRight(exchange, book), `${name}: a wrong book`).toBe(true)
        seen += 1
        const now = Date.now()
        if (exchange.pendingFaults === 0 && now >= ends) over = Math.min(over, now)
        const isThere = seen > 100 && now >= over && isLive(books)
        isMended = isThere && books.every((book) => levelsOf(book) === truthOf(exchange, book))
        expect(now - over, `${name}: not right again`).toBeLessThan(MEND_MILLIS)
        await delay(2)
      }
    }
    const report = await run.stop()
    expect(report.balanced).toBe(true)
  })
}

test('a recorded connection replays as the same books and trades', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-live-'))
  try {
    for (const venue of ['binance-spot', 'kraken'] as const) {
      await using exchange = await startExchange({ venue, market: 'synthetic', rate: 2_000 })
      const file = join(folder, `${venue}.rec`)
      const { run, books } = await follow(exchange, venue, { record: file })
      await until(() => isLive(books))
      exchange.cut()
      await until(() => !isLive(books))
      await until(() => isLive(books))
      await delay(300)
      exchange.run(0)
      await until(() => books.every((book) => levelsOf(book) === truthOf(exchange, book)))
      await run.stop()
      expect(readFileSync(file, 'utf8').length).toBeGreaterThan(10_000)
      const again = books.map(({ instrument }) => new L2Book({ instrument }))
      const chain = again.reduce((p, book) => p.book(book), pipeline('again').from(replay(file)))
      await (await chain.to(discard()).start()).done()
      expect(again.map((book) => levelsOf(book, 1_000))).toEqual(books.map((book) => levelsOf(book, 1_000)))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an instrument that is given is what a live market counts in', async () => {
  const pepe = new Instrument({ symbol: 'PEPEUSDT', venue: 'binance-spot', tick: '0.0000000001', lot: '1' })
  const symbols = [{ symbol: 'PEPEUSDT', priceDecimals: 10, qtyDecimals: 0, mid: 123_456 }]
  await using exchange = await startExchange({ venue: 'binance-spot', market: 'synthetic', rate: 1_000, symbols })
  const { url, restUrl } = exchange
  const market = live({ venue: 'binance-spot', symbols: ['PEPEUSDT'], instruments: [pepe], url, restUrl })
  expect(market.instrument('PEPEUSDT')).toEqual(pepe)
  const book = new L2Book({ instrument: pepe })
  const run = await pipeline('given').from(market).book(book).to(discard()).start()
  await until(() => isLive([book]))
  exchange.run(0)
  await until(() => levelsOf(book) === truthOf(exchange, book))
  expect((await run.stop()).stages[0]?.live).toMatchObject({ gaps: 0, errors: 0 })
})

test.skipIf(!hasCapture('kraken'))('a capture of Kraken, played fast: each checksum agrees', async () => {
  await using exchange = await startExchange({ venue: 'kraken', market: 'capture', speed: 'max' })
  const { run, books } = await follow(exchange, 'kraken')
  await exchange.finished()
  const feed = new Feed({ venue: 'kraken', symbols: exchange.symbols })
  for (const { text } of readCapture('exchange-captures/KRAKEN.ws.50.0')) feed.apply(text)
  await until(() => books.every((book) => levelsOf(book) === levelsOf(feed.book(book.instrument.symbol))))
  expect(isLive(books)).toBe(true)
  const { live: status } = (await run.stop()).stages[0] ?? {}
  expect(status).toMatchObject({ connections: 1, gaps: 0, checksums: 0, errors: 0, dropped: 0 })
  expect(status?.messages).toBeGreaterThan(4_269)
})

test('a book is stale once its run has ended, and a recording that can’t be written fails it', async () => {
  await using exchange = await startExchange({ venue: 'okx', market: 'synthetic', rate: 2_000 })
  const { run, books } = await follow(exchange, 'okx')
  await until(() => isLive(books))
  const report = await run.stop()
  expect([report.balanced, report.gaps]).toEqual([true, 0])
  expect(books.map((book) => [book.state, book.top(), book.depth(1).bids.length])).toEqual(
    books.map(() => ['stale', undefined, 1]),
  )
  expect(String(report)).toMatch(/ stale, [\d.]+ ms old/)
  if (process.platform !== 'linux') return
  const full = await follow(exchange, 'okx', { record: '/dev/full' })
  const error = await rejected(full.run.done())
  expect([error.code, (error.cause as VeloxError).code]).toEqual(['VELOX_STAGE_FAILED', 'VELOX_FILE_UNWRITABLE'])
})

test('a signal ends a live market', async () => {
  await using exchange = await startExchange({ venue: 'okx', market: 'synthetic' })
  const stop = new AbortController()
  const { run, books } = await follow(exchange, 'okx', { signal: stop.signal })
  await until(() => isLive(books))
  stop.abort()
  expect((await run.done()).balanced).toBe(true)
})

test('TLS: a certificate of an own authority is trusted by SSL_CERT_FILE, and refused without', async () => {
  await using exchange = await startExchange({ venue: 'kraken', market: 'synthetic', tls: true })
  const [symbol] = exchange.symbols
  const code = `
    import { L2Book, discard, pipeline } from 'velox-engine'
    import { live } from 'velox-engine/feed'
    const market = live({ venue: 'kraken', symbols: ['${symbol}'], url: '${exchange.url}', restUrl: '${exchange.restUrl}' })
    const book = new L2Book({ instrument: market.instrument() })
    const run = await pipeline('tls').from(market).book(book).to(discard()).start()
    const end = run.done().catch((error) => console.log(error.code, error.cause?.code))
    for (let n = 0; n < 1000 && book.state !== 'live'; n++) {
      if (await Promise.race([end.then(() => true), new Promise((r) => setTimeout(r, 5, false))])) break
    }
    console.log(book.state)
    run.abort()
    await end`
  const run = (env: Record<string, string>) => node(['--input-type=module', '-e', code], { cwd: root, env })
  expect((await run({ SSL_CERT_FILE: exchange.caFile as string })).stdout).toMatch(/^live\n/)
  expect((await run({})).stdout).toMatch(/^VELOX_STAGE_FAILED VELOX_TLS_UNTRUSTED\nempty\n/)
})

test('what a live market is told wrong is refused before anything starts', async () => {
  const codeOf = (f: () => unknown) => {
    try {
      f()
    } catch (error) {
      return (error as Error).message
    }
    return 'none'
  }
  for (const [o, text] of [
    [{ venue: 'mtgox', symbols: ['A'] }, 'venue: expected one of'],
    [{ venue: 'okx', symbols: 'A' }, 'symbols: expected an array'],
    [{ venue: 'okx', symbols: ['A'], instruments: ['A'] }, 'instruments: expected Instruments'],
    [{ venue: 'okx', symbols: ['A'], urls: '' }, 'did you mean url?'],
    [{ venue: 'okx', symbols: ['A'], signal: 5 }, 'signal: expected an AbortSignal'],
  ] as const) {
    expect(
      codeOf(() => live(o as never)),
      text,
    ).toContain(text)
  }
  for (const [o, text] of [
    [{ symbols: ['A'], url: 'http://localhost' }, 'url: expected'],
    [{ symbols: [] }, 'at least one symbol'],
    [{ symbols: ['A', 'A'] }, 'each once'],
    [{ symbols: ['BTCUSDT', 'btcusdt'] }, 'each once in whatever case'],
    [{ symbols: [''] }, 'symbol'],
    [{ symbols: ['A'], restUrl: 'localhost' }, 'restUrl: expected'],
  ] as const) {
    const error = await rejected(
      pipeline('p')
        .from(live({ venue: 'okx', ...o }))
        .to(count())
        .start(),
    )
    expect([error.code, error.message]).toEqual(['VELOX_INVALID_VALUE', expect.stringContaining(text)])
  }
  expect(live({ venue: 'okx', symbols: ['BTC-USDT'] }).type).toBe(MarketEvent)
})
