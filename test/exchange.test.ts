import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { epochNanos, spawnExchange, startExchange, type VenueName } from './support/exchange/index.js'
import { ModelClient } from './support/model-books.js'
import { until } from './support/until.js'

const venues: readonly VenueName[] = [
  'binance-spot',
  'binance-usdm',
  'binance-coinm',
  'kraken',
  'okx',
  'bybit',
  'coinbase',
  'kucoin',
  'bitget',
]

const withChecksums: readonly VenueName[] = ['kraken', 'okx', 'bitget']

test.for(venues)(
  '%s: a book that follows the documentation is the true one at the end of 3,000 events',
  async (venue) => {
    await using exchange = await startExchange({ venue, market: 'synthetic', rate: 6000, restDelayMs: 20 })
    const client = await ModelClient.connect(exchange, venue)
    const books = () => [...client.books.values()]
    await until(() => books().reduce((sum, { counts }) => sum + counts.applied, 0) >= 3000)
    exchange.run(0)
    const isThere = (symbol: string) => {
      const { bids, asks } = exchange.truth(symbol, client.depth)
      return JSON.stringify(client.book(symbol).top()) === JSON.stringify({ bids, asks })
    }
    await until(() => exchange.symbols.every(isThere))
    for (const [symbol, book] of client.books) {
      expect(book.counts, symbol).toMatchObject({ gaps: 0, wrongChecksums: 0, repeatedTrades: 0 })
      expect(book.counts.trades).toBeGreaterThan(100)
      expect(book.counts.checksums).toBe(withChecksums.includes(venue) ? book.counts.applied : 0)
    }
    client.ws.close()
  },
)

test('the truth of each sequence number is what the book was there', async () => {
  await using exchange = await startExchange({ venue: 'binance-usdm', market: 'synthetic', rate: 0 })
  const [symbol = ''] = exchange.symbols
  const client = await ModelClient.connect(exchange, 'binance-usdm', { symbols: [symbol] })
  const book = client.book(symbol)
  const seen: [number, string][] = []
  for (let n = 0; n < 600; n++) {
    exchange.step()
    if (exchange.truth(symbol).sequence === book.sequence) continue
    const { sequence } = exchange.truth(symbol)
    await until(() => book.sequence === sequence)
    seen.push([sequence, JSON.stringify(book.top())])
  }
  expect(seen.length).toBeGreaterThan(200)
  for (const [sequence, top] of seen) {
    const { bids, asks } = exchange.truthAt(symbol, sequence)
    expect(JSON.stringify({ bids, asks })).toBe(top)
  }
  expect(() => exchange.truthAt(symbol, 1)).toThrow('not kept')
  expect(() => exchange.truthAt('XYZ', 1)).toThrow('no made-up market')
  client.ws.close()
})

test('the same seed makes the same market', async () => {
  const truths = await Promise.all(
    [7, 7, 8].map(async (seed) => {
      await using exchange = await startExchange({ venue: 'okx', market: 'synthetic', rate: 0, seed })
      exchange.step(500)
      return JSON.stringify(exchange.symbols.map((symbol) => exchange.truth(symbol)))
    }),
  )
  expect(truths[0]).toBe(truths[1])
  expect(truths[0]).not.toBe(truths[2])
})

test('no made-up book is ever crossed or empty, whatever the seed', async () => {
  for (let seed = 0; seed < 20; seed++) {
    await using exchange = await startExchange({ venue: 'bybit', market: 'synthetic', rate: 0, seed, levels: 20 })
    for (let n = 0; n < 200; n++) {
      exchange.step()
      for (const symbol of exchange.symbols) {
        const { bids, asks } = exchange.truth(symbol, 1)
        expect(Number(bids[0]?.[0])).toBeLessThan(Number(asks[0]?.[0]))
      }
    }
  }
})

test('a subscriber of less depth than the book sees its best levels, whatever falls out of view and comes back', async () => {
  const deep = { market: 'synthetic', rate: 0, levels: 120 } as const
  for (const venue of ['kraken', 'bybit'] as const) {
    await using exchange = await startExchange({ venue, ...deep })
    const client = await ModelClient.connect(exchange, venue)
    await until(() => [...client.books.values()].every((book) => book.state === 'live'))
    exchange.step(3000)
    for (const symbol of exchange.symbols) {
      const { bids, asks } = exchange.truth(symbol, venue === 'kraken' ? 10 : 50)
      await until(() => JSON.stringify(client.book(symbol).top()) === JSON.stringify({ bids, asks }))
    }
    if (venue === 'kraken') expect(client.messages.some((text) => text.includes(',"r"]'))).toBe(true)
    client.ws.close()
  }
})

test('checksums may be left 0, as OKX and Bitget do', async () => {
  for (const venue of ['okx', 'bitget'] as const) {
    await using exchange = await startExchange({ venue, market: 'synthetic', rate: 500, checksums: false })
    const client = await ModelClient.connect(exchange, venue)
    await until(() => client.messages.filter((text) => text.includes('"update"')).length > 20)
    for (const text of client.messages) if (text.includes('"checksum"')) expect(text).toContain('"checksum":0')
    client.ws.close()
  }
})

test('what is asked wrongly is answered as the venue answers it', async () => {
  const asked: [VenueName, string, string][] = [
    ['binance-spot', '{"method":"BUY","id":3}', '"error"'],
    [
      'kraken',
      '{"event":"subscribe","pair":["A/B"],"subscription":{"name":"book"}}',
      'Currency pair not supported A/B',
    ],
    [
      'kraken',
      '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"book","depth":11}}',
      'depth not supported',
    ],
    ['kraken', '{"event":"ping","reqid":42}', '{"event":"pong","reqid":42}'],
    ['okx', 'ping', 'pong'],
    ['okx', '{"op":"subscribe","args":[{"channel":"books","instId":"A-B"}]}', '"code":"60018"'],
    ['bybit', '{"op":"ping","req_id":"7"}', '"ret_msg":"pong"'],
    ['bybit', '{"op":"subscribe","args":["orderbook.50.AB"]}', '"success":false'],
    ['coinbase', '{"type":"subscribe","product_ids":["A-B"],"channel":"level2"}', 'no such product A-B'],
    ['bitget', 'ping', 'pong'],
    ['bitget', '{"op":"subscribe","args":[{"instType":"SPOT","channel":"books","instId":"AB"}]}', '"code":30001'],
  ]
  for (const [venue, text, answer] of asked) {
    await using exchange = await startExchange({ venue, market: 'synthetic', rate: 0 })
    const ws = new WebSocket(exchange.url)
    const answers: string[] = []
    ws.on('message', (data) => answers.push(data.toString()))
    ws.on('open', () => ws.send(text))
    await until(() => answers.some((one) => one.includes(answer))).catch(() => expect(answers.join()).toContain(answer))
    ws.close()
  }
})

test('KuCoin lets nobody in without its token', async () => {
  await using exchange = await startExchange({ venue: 'kucoin', market: 'synthetic' })
  const refused = await new Promise((resolve) => new WebSocket(exchange.url).once('error', resolve))
  expect(String(refused)).toContain('401')
})

test('a combined stream is subscribed to by its URL, and one that is not combined has no wrapping', async () => {
  await using exchange = await startExchange({ venue: 'binance-spot', market: 'synthetic', rate: 500 })
  const first = (path: string) =>
    new Promise<string>((resolve) => {
      const ws = new WebSocket(exchange.url.replace('/stream', path))
      ws.once('message', (data) => {
        ws.close()
        resolve(data.toString())
      })
    })
  expect(await first('/stream?streams=btcusdt@bookTicker/ethusdt@depth@100ms')).toMatch(/^\{"stream":"(btc|eth)usdt@/)
  expect(await first('/ws/btcusdt@aggTrade')).toMatch(/^\{"e":"aggTrade",.*"s":"BTCUSDT"/)
})

test("a ticker's best prices are those of the depth event with its number", async () => {
  await using exchange = await startExchange({ venue: 'binance-usdm', market: 'synthetic', rate: 2000 })
  const ws = new WebSocket(`${exchange.url}?streams=btcusdt@bookTicker`)
  const tickers: { u: number; b: string; B: string; a: string; A: string }[] = []
  ws.on('message', (data) => tickers.push(JSON.parse(data.toString()).data))
  await until(() => tickers.length > 200)
  for (const { u, b, B, a, A } of tickers) {
    expect(exchange.truthAt('BTCUSDT', u, 1)).toEqual({ sequence: u, bids: [[b, B]], asks: [[a, A]] })
  }
  ws.close()
})

test('wss and https are trusted by the authority that the exchange made, and by nobody else', async () => {
  await using exchange = await startExchange({ venue: 'bybit', market: 'synthetic', tls: true })
  const ca = readFileSync(exchange.caFile ?? '')
  const client = await ModelClient.connect(exchange, 'bybit', { ca })
  await until(() => [...client.books.values()].every(({ counts }) => counts.applied > 20))
  const code = new Promise((resolve) => client.ws.once('close', resolve))
  exchange.cut()
  expect(await code).toBe(1006)
  await expect(ModelClient.connect(exchange, 'bybit')).rejects.toThrow(/certificate/)
})

test('as a process of its own it says where it is, does what it is told and ends with its owner', async () => {
  const o = { venue: 'kraken', market: 'synthetic', rate: 0, stamps: 1000 } as const
  const exchange = await spawnExchange(o)
  const ws = new WebSocket(exchange.url)
  const messages: string[] = []
  ws.on('message', (data) => messages.push(data.toString()))
  const subscribe = { event: 'subscribe', pair: ['XBT/USD'], subscription: { name: 'book', depth: 10 } }
  ws.on('open', () => ws.send(JSON.stringify(subscribe)))
  await until(() => messages.some((text) => text.includes('"as"')))
  const before = epochNanos()
  await exchange.step(200)
  await until(() => messages.filter((text) => text.includes('"c":')).length > 20)
  const { sequence } = await exchange.truth('XBT/USD', 10)
  const sent = await exchange.sent('XBT/USD')
  expect(sent.at(-1)?.[0]).toBeLessThanOrEqual(sequence)
  // Two processes read the system's clock apart from each other.
  const sinceMs = Number(BigInt(sent.at(-1)?.[1] ?? 0) - before) / 1e6
  expect(sinceMs).toBeGreaterThan(-1)
  expect(sinceMs).toBeLessThan(5000)
  expect((await exchange.get('counts')).connections).toBe(1)
  await expect(exchange.truth('XYZ')).rejects.toThrow('no made-up market')
  const closed = new Promise((resolve) => ws.once('close', resolve))
  await exchange.close()
  await closed
})
