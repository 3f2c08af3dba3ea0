import { readFileSync } from 'node:fs'
import { Instrument, MarketEvent, RingBuffer, Trade } from 'velox-engine'
import { type Applied, Feed, type Venue, venues } from 'velox-engine/feed'
import { expect, test } from 'vitest'
import { readCapture } from './support/exchange/captures.js'
import { type Exchange, startExchange } from './support/exchange/index.js'
import { FeedClient } from './support/feed-client.js'
import { shared } from './support/node.js'
import { until } from './support/until.js'

const all = Object.keys(venues) as Venue[]

test('of each venue it is told what its decoder is held to, and what notices a lost message', () => {
  const told = Object.entries(venues).map(([venue, { verifiedBy, checks }]) => [venue, [verifiedBy, checks]])
  expect(Object.fromEntries(told)).toEqual({
    'binance-spot': ['capture', 'sequence'],
    'binance-usdm': ['capture', 'sequence'],
    'binance-coinm': ['capture', 'sequence'],
    kraken: ['capture', 'checksum'],
    okx: ['capture', 'both'],
    bybit: ['documentation', 'sequence'],
    coinbase: ['documentation', 'sequence'],
    kucoin: ['documentation', 'sequence'],
    bitget: ['documentation', 'checksum'],
  })
})

/** Of these the made-up markets have no chain of numbers. */
const byChecksum: readonly Venue[] = ['kraken', 'bitget']

const feedOf = ({ symbols, restUrl }: Exchange, venue: Venue, trades?: RingBuffer<typeof Trade>) =>
  new Feed({ venue, symbols, restUrl, ...(trades && { trades }) })

/** A feed's book in the numbers of the exchange's own. */
function bookOf(feed: Feed, symbol: string, depth: number) {
  const { instrument } = feed.book(symbol)
  const { bids, asks } = feed.book(symbol).depth(depth)
  const numbers = (levels: typeof bids) =>
    levels.map(({ price, qty }) => [Number(instrument.formatPrice(price)), Number(instrument.formatQty(qty))])
  return { bids: numbers(bids), asks: numbers(asks) }
}

function truthOf(exchange: Exchange, symbol: string, depth: number) {
  const { bids, asks } = exchange.truth(symbol, depth)
  const numbers = (levels: readonly (readonly [string, string])[]) => levels.map(([p, q]) => [Number(p), Number(q)])
  return { bids: numbers(bids), asks: numbers(asks) }
}

const isTrue = (exchange: Exchange, feed: Feed) => (symbol: string) =>
  JSON.stringify(bookOf(feed, symbol, 20)) === JSON.stringify(truthOf(exchange, symbol, 20))

test.for(all)('%s: books and trades are those of the exchange', async (venue) => {
  await using exchange = await startExchange({ venue, market: 'synthetic', rate: 4000, restDelayMs: 20 })
  const trades = new RingBuffer(Trade, 16_384)
  const feed = feedOf(exchange, venue, trades)
  expect(exchange.symbols.map((symbol) => feed.state(symbol))).toEqual(exchange.symbols.map(() => 'syncing'))
  const client = await FeedClient.connect(exchange, feed)
  await until(() => client.isLive && client.counts.applied > 2_000)
  exchange.run(0)
  await until(() => exchange.symbols.every(isTrue(exchange, feed)))
  expect(client.counts).toMatchObject({ gap: 0, checksum: 0 })
  expect(client.refused).toEqual([])
  expect(trades.length).toBeGreaterThan(100)
  expect(feed.droppedTrades).toBe(0)
  client.close()
})

for (const fault of ['dropNext', 'repeatNext', 'swapNext'] as const) {
  test.for(all)(
    `%s: after ${fault} a book is the exchange's, or says that it is stale, and comes back`,
    async (venue) => {
      await using exchange = await startExchange({ venue, market: 'synthetic', rate: 1000 })
      const feed = feedOf(exchange, venue)
      const client = await FeedClient.connect(exchange, feed)
      await until(() => client.isLive && client.counts.applied > 50)
      exchange[fault](1, { kind: 'book' })
      await until(() => exchange.pendingFaults === 0)
      const after = client.counts.applied
      await until(() => client.isLive && client.counts.applied > after + 100)
      exchange.run(0)
      await until(() => exchange.symbols.every(isTrue(exchange, feed)))
      const { gap, checksum } = client.counts
      if (fault === 'repeatNext') expect([gap, checksum]).toEqual([0, 0])
      // By checksums alone an event of deep levels that is lost shows when it comes near the best, if ever.
      else if (!byChecksum.includes(venue)) expect(gap + checksum).toBeGreaterThan(0)
      expect(client.refused).toEqual([])
      client.close()
    },
  )
}

/** What each venue's documentation asks for, how often, and its answer; the others do with the WebSocket's own pings. */
const HEARTBEATS: Partial<Record<Venue, [message: string, everyMillis: number, answer: string]>> = {
  okx: ['ping', 20_000, 'pong'],
  bybit: [
    '{"op":"ping"}',
    20_000,
    '{"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}',
  ],
  kucoin: ['{"id":"ping","type":"ping"}', 18_000, '{"id":"ping","type":"pong","timestamp":1764288000000000}'],
  bitget: ['ping', 30_000, 'pong'],
}

test.for(all)('%s: its heartbeat is what the venue asks for, and the answer changes nothing', (venue) => {
  const feed = new Feed({ venue, symbols: ['AB-CD'] })
  const [message, everyMillis, answer] = HEARTBEATS[venue] ?? []
  expect(feed.heartbeat()).toEqual(message && { message, everyMillis })
  if (answer) expect([feed.apply(answer), feed.state('AB-CD')]).toEqual(['ignored', 'syncing'])
})

const captures = shared('data/exchange-captures/KRAKEN.ws.50.0')
test.skipIf(!captures)('every checksum of the captures of Kraken agrees', () => {
  const confirmed = readFileSync(captures as string, 'utf8').matchAll(/"pair":"([^"]+)","status":"subscribed"/g)
  const symbols = [...new Set([...confirmed].map(([, pair]) => pair as string))]
  const feed = new Feed({ venue: 'kraken', symbols })
  const counts: Record<Applied, number> = { applied: 0, buffered: 0, ignored: 0, gap: 0, checksum: 0 }
  for (const { text } of readCapture('exchange-captures/KRAKEN.ws.50.0')) counts[feed.apply(text)]++
  expect([counts.gap, counts.checksum, counts.applied >= 4_269]).toEqual([0, 0, true])
  expect(symbols.map((symbol) => feed.state(symbol))).toEqual(symbols.map(() => 'live'))
})

test('a crossed book is told as it is: live, and crossed until the venue says otherwise', () => {
  const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'] })
  const book = feed.book('BTCUSDT')
  const bid = (u: number, qty: string) =>
    `{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":${u},"u":${u},"b":[["61800.40","${qty}"]],"a":[]}`
  feed.snapshot('BTCUSDT', '{"lastUpdateId":7,"bids":[["61800.10","2"]],"asks":[["61800.30","1"]]}')
  expect([book.crossed, feed.apply(bid(8, '3')), feed.state('BTCUSDT'), book.crossed]).toEqual([
    false,
    'applied',
    'live',
    true,
  ])
  expect(book.top()).toMatchObject({ bid: 6_180_040, ask: 6_180_030 })
  expect([feed.apply(bid(9, '0')), book.crossed]).toEqual(['applied', false])
})

const codeOf = (f: () => unknown) => {
  try {
    f()
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message]
  }
  return ['none']
}

test('what a feed is told wrong is refused, and changes nothing', () => {
  const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'] })
  const delta = '{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":8,"u":8,"b":[["61800.20","1.25"]],"a":[]}'
  feed.snapshot('BTCUSDT', '{"lastUpdateId":7,"bids":[["61800.10","2"]],"asks":[["61800.30","1"]]}')
  const before = feed.book('BTCUSDT').depth(9)
  for (const bad of ['', '{', '[]', 'null', delta.slice(0, -9), delta.replace('61800.20', 'x'), Buffer.from([0xff])]) {
    expect(codeOf(() => feed.apply(bad))[0]).toBe('VELOX_BAD_MESSAGE')
  }
  for (const bad of [undefined, null, 5, {}, new Uint8Array(new SharedArrayBuffer(8))]) {
    expect(codeOf(() => feed.apply(bad as never))[0]).toBe('VELOX_INVALID_VALUE')
  }
  expect(codeOf(() => feed.apply(delta, 5 as never))[1]).toContain('receiveTs: expected a bigint')
  expect(codeOf(() => feed.book('ETHUSDT'))).toEqual([
    'VELOX_UNKNOWN_SYMBOL',
    'symbol: expected one of BTCUSDT, got ETHUSDT',
  ])
  expect(codeOf(() => feed.book('BTCUSDT').set('bid', 1, 1))[0]).toBe('VELOX_BOOK_OWNED')
  expect([feed.state('BTCUSDT'), feed.book('BTCUSDT').depth(9)]).toEqual(['live', before])
  expect(feed.apply(delta)).toBe('applied')
  expect(feed.apply(delta)).toBe('ignored')

  const spot = new Instrument({ symbol: 'BTCUSDT', venue: 'kraken', tick: '0.1', lot: '1' })
  for (const [o, text] of [
    [{ venue: 'mtgox', symbols: ['BTC'] }, 'venue: expected one of binance-coinm, binance-spot'],
    [{ venue: 'okx', symbols: [] }, 'at least one symbol'],
    [{ venue: 'okx', symbols: ['A', 'A'] }, 'each once'],
    [{ venue: 'okx', symbols: 'A' }, 'symbols: expected an array'],
    [{ venue: 'okx', symbols: [spot] }, 'Instruments of okx, got BTCUSDT of kraken'],
    [{ venue: 'okx', symbols: ['A'], trades: new RingBuffer(MarketEvent, 8) }, 'a RingBuffer of Trade'],
    [{ venue: 'okx', symbols: ['A'], tardes: 1 }, 'did you mean trades?'],
  ] as const) {
    expect(codeOf(() => new Feed(o as never))[1]).toContain(text)
  }
})

test('an instrument that is given is what a book counts in', () => {
  const pepe = new Instrument({ symbol: 'PEPEUSDT', venue: 'binance-spot', tick: '0.0000000001', lot: '1' })
  const body = '{"lastUpdateId":7,"bids":[["0.0000123456","2"]],"asks":[["0.0000123457","1"]]}'
  const feed = new Feed({ venue: 'binance-spot', symbols: [pepe] })
  expect(feed.book('PEPEUSDT').instrument).toEqual(pepe)
  expect(feed.snapshot('PEPEUSDT', body)).toBe('applied')
  expect(feed.book('PEPEUSDT').top()).toMatchObject({ bid: 123_456, bidQty: 2, ask: 123_457, askQty: 1 })
  const byName = new Feed({ venue: 'binance-spot', symbols: ['PEPEUSDT'] })
  expect(codeOf(() => byName.snapshot('PEPEUSDT', body))[0]).toBe('VELOX_BAD_MESSAGE')
})

test('trades that a ring has no room for are counted', () => {
  const trades = new RingBuffer(Trade, 2)
  const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'], trades })
  const trade = (t: number) =>
    `{"e":"trade","E":1,"s":"BTCUSDT","t":${t},"p":"61800.20","q":"0.5","T":${t},"m":true,"M":true}`
  for (const id of [1, 2, 3]) expect(feed.apply(trade(id), BigInt(id))).toBe('applied')
  expect([trades.length, feed.droppedTrades]).toEqual([2, 1])
  expect(trades.pop()).toMatchObject({ id: 1, side: 'ask', price: 6_180_020, receiveTs: 1n })
})

test('a closed ring of trades costs its trades and no book', () => {
  const trades = new RingBuffer(Trade, 2)
  const feed = new Feed({ venue: 'binance-spot', symbols: ['BTCUSDT'], trades })
  trades.close()
  expect(feed.apply('{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"61800.20","q":"0.5","T":1,"m":true}')).toBe('applied')
  const body = '{"lastUpdateId":7,"bids":[["61800.10","2"]],"asks":[["61800.30","1"]]}'
  expect(feed.snapshot('BTCUSDT', body)).toBe('applied')
  expect([feed.droppedTrades, feed.state('BTCUSDT'), trades.length]).toEqual([1, 'live', 0])
})

test('a message of no bytes is a bad message, like any that is no JSON', () => {
  const feed = new Feed({ venue: 'okx', symbols: ['BTC-USDT'] })
  for (const empty of ['', new Uint8Array(0), Buffer.alloc(0)]) {
    expect(codeOf(() => feed.apply(empty))).toEqual([
      'VELOX_BAD_MESSAGE',
      expect.stringContaining('expected a message in JSON, got no bytes'),
    ])
  }
})
