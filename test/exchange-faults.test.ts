import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { type Exchange, type ExchangeOptions, startExchange, type VenueName } from './support/exchange/index.js'
import { ModelClient } from './support/model-books.js'
import { until } from './support/until.js'

const made = (venue: VenueName, o: Partial<ExchangeOptions> = {}) =>
  startExchange({ venue, market: 'synthetic', rate: 0, trades: 0, ...o })

/** Waits for books that are live and equal to the truth. */
const settled = (exchange: Exchange, client: ModelClient) =>
  until(() =>
    exchange.symbols.every((symbol) => {
      const { bids, asks } = exchange.truth(symbol, client.depth)
      const book = client.book(symbol)
      return book.state === 'live' && JSON.stringify(book.top()) === JSON.stringify({ bids, asks })
    }),
  )

async function connected(venue: VenueName, o: Partial<ExchangeOptions> = {}) {
  const exchange = await made(venue, { ...o, symbols: [(await firstSymbol(venue)) ?? ''] })
  const client = await ModelClient.connect(exchange, venue)
  await settled(exchange, client)
  return { exchange, client, book: client.book(exchange.symbols[0] ?? '') }
}

async function firstSymbol(venue: VenueName) {
  await using exchange = await made(venue)
  return exchange.symbols[0]
}

const sequenced: readonly VenueName[] = [
  'binance-spot',
  'binance-usdm',
  'binance-coinm',
  'okx',
  'bybit',
  'coinbase',
  'kucoin',
]

test.for([...sequenced, 'kraken', 'bitget'] as const)(
  '%s: a dropped event is noticed, and the book right again',
  async (venue) => {
    const { exchange, client, book } = await connected(venue)
    exchange.dropNext()
    // A change below Kraken's ten levels is not told, so that there is nothing to drop.
    while (exchange.counts.dropped === 0) exchange.step(1)
    for (let n = 0; book.state === 'live' && n < 200; n++) {
      exchange.step(1)
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    expect(book.state).toBe('stale')
    expect(book.counts.gaps + book.counts.wrongChecksums).toBe(1)
    await client.resync()
    exchange.step(20)
    await settled(exchange, client)
    client.ws.close()
    await exchange.close()
  },
)

test.for(sequenced)('%s: a repeated event changes nothing', async (venue) => {
  const { exchange, client, book } = await connected(venue)
  exchange.repeatNext(3)
  exchange.step(5)
  await settled(exchange, client)
  expect(exchange.counts.repeated).toBe(3)
  expect(book.counts).toMatchObject({ gaps: 0, ignored: 3 })
  client.ws.close()
  await exchange.close()
})

test('a swapped event comes after the one behind it', async () => {
  const { exchange, client, book } = await connected('binance-spot')
  exchange.swapNext()
  exchange.step(1)
  expect(exchange.pendingFaults).toBe(0)
  exchange.step(2)
  await until(() => client.messages.filter((text) => text.includes('depthUpdate')).length === 3)
  const firsts = client.messages.filter((text) => text.includes('depthUpdate')).map((text) => JSON.parse(text).data.U)
  expect(firsts[1]).toBeLessThan(firsts[0])
  expect(firsts[2]).toBeGreaterThan(firsts[0])
  expect([exchange.counts.swapped, book.counts.gaps]).toEqual([1, 1])
  client.ws.close()
  await exchange.close()
})

test('a fault waits for the market and the kind of message that it is for', async () => {
  await using exchange = await made('bybit', { trades: 1 })
  const client = await ModelClient.connect(exchange, 'bybit')
  await settled(exchange, client)
  const [first = '', second = ''] = exchange.symbols
  exchange.dropNext(2, { kind: 'trade', symbol: second })
  exchange.step(30)
  await settled(exchange, client)
  await until(() => client.book(second).counts.trades > 0)
  const { applied: firstEvents, trades: firstTrades } = client.book(first).counts
  const { applied: secondEvents, trades: secondTrades } = client.book(second).counts
  expect([firstTrades, secondTrades]).toEqual([firstEvents, secondEvents - 2])
  client.ws.close()
})

test('a cut connection ends in the middle of a message', async () => {
  const { exchange, client } = await connected('okx')
  exchange.step(3)
  await settled(exchange, client)
  const before = client.messages.length
  let bytes = 0
  // biome-ignore lint/suspicious/noExplicitAny: the socket below is not in the types
  const { _socket } = client.ws as any
  _socket.on('data', (data: Buffer) => {
    bytes += data.length
  })
  const code = await new Promise<number>((resolve) => {
    client.ws.once('close', resolve)
    exchange.cut()
  })
  expect(code).toBe(1006)
  expect(bytes).toBeGreaterThan(2)
  expect(client.messages.length).toBe(before)
  expect(exchange.counts.cut).toBe(1)
  await client.connect()
  await settled(exchange, client)
  client.ws.close()
  await exchange.close()
})

test('after 24 hours a venue says goodbye and closes properly', async () => {
  const { exchange, client } = await connected('okx')
  const code = await new Promise<number>((resolve) => {
    client.ws.once('close', resolve)
    exchange.closeAll()
  })
  expect(code).toBe(1001)
  expect(client.messages.at(-1)).toContain('64008')
  expect(exchange.counts.closed).toBe(1)
  await until(() => exchange.clients === 0)
  await exchange.close()
})

test('in a stall nothing comes, not even a pong, and then everything', async () => {
  const { exchange, client, book } = await connected('bybit', { pingEveryMs: 50 })
  await until(() => client.pings > 0)
  exchange.stall(1000)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = { messages: client.messages.length, pings: client.pings, applied: book.counts.applied }
  exchange.step(10)
  let pongs = 0
  client.ws.on('pong', () => pongs++)
  client.ws.ping()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect({ messages: client.messages.length, pings: client.pings, applied: book.counts.applied }).toEqual(before)
  expect(pongs).toBe(0)
  await settled(exchange, client)
  await until(() => pongs === 1)
  expect(book.counts.applied).toBe(before.applied + 10)
  expect(exchange.counts.stalls).toBe(1)
  client.ws.close()
  await exchange.close()
})

test('garbage of all kinds comes through, and what the caller wants too', async () => {
  const { exchange, client } = await connected('coinbase')
  const got: string[] = []
  client.ws.on('message', (data, isBinary) => got.push(isBinary ? 'bytes' : data.toString()))
  for (let n = 0; n < 4; n++) exchange.garbage()
  exchange.garbage('{"a":1}')
  await until(() => got.length === 5)
  expect(got[3]).toBe('bytes')
  expect(got[4]).toBe('{"a":1}')
  expect(() => JSON.parse(got[0] ?? '')).toThrow()
  expect(exchange.counts.garbage).toBe(5)
  exchange.step(5)
  await settled(exchange, client)
  client.ws.close()
  await exchange.close()
})

test('REST answers 429 with a time to wait as often as it was asked to', async () => {
  await using exchange = await made('binance-spot')
  const url = `${exchange.restUrl}/api/v3/depth?symbol=BTCUSDT&limit=5`
  exchange.rest429(2, 3)
  const answers = [await fetch(url), await fetch(url), await fetch(url)]
  expect(answers.map(({ status }) => status)).toEqual([429, 429, 200])
  expect(answers[0]?.headers.get('retry-after')).toBe('3')
  expect(exchange.counts.rest429).toBe(2)
  expect((await fetch(url.replace('BTCUSDT', 'XYZ'))).status).toBe(400)
  expect((await fetch(`${exchange.restUrl}/other`)).status).toBe(404)
})

test.for(['binance-spot', 'binance-usdm', 'kucoin'] as const)(
  '%s: an old snapshot fits nothing that was sent',
  async (venue) => {
    await using exchange = await made(venue, { rate: 500 })
    exchange.oldSnapshot(1)
    const [symbol = ''] = exchange.symbols
    const client = await ModelClient.connect(exchange, venue, { symbols: [symbol] })
    await until(() => client.book(symbol).counts.gaps === 1)
    expect(client.book(symbol).state).toBe('stale')
    expect(exchange.counts.restOld).toBe(1)
    await client.resync()
    exchange.run(0)
    const { bids, asks } = exchange.truth(symbol)
    await until(() => JSON.stringify(client.book(symbol).top()) === JSON.stringify({ bids, asks }))
    expect(client.book(symbol).state).toBe('live')
    client.ws.close()
  },
)

test('while REST is down it answers nothing, and then again', async () => {
  await using exchange = await made('binance-spot')
  const url = `${exchange.restUrl}/api/v3/depth?symbol=BTCUSDT`
  exchange.restDown(1000)
  await expect(fetch(url)).rejects.toThrow()
  expect(exchange.counts.restDown).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect((await fetch(url)).status).toBe(200)
})

test('refused connections are reset, those that are there stay', async () => {
  const { exchange, client } = await connected('bybit')
  exchange.refuseConnections(1500)
  const failed = await new Promise((resolve) => new WebSocket(exchange.url).once('error', resolve))
  expect(String(failed)).toMatch(/ECONNRESET|hang up/)
  await expect(fetch(exchange.restUrl)).rejects.toThrow()
  expect(exchange.counts.refused).toBeGreaterThanOrEqual(2)
  exchange.step(5)
  await settled(exchange, client)
  await new Promise((resolve) => setTimeout(resolve, 1600))
  const again = await ModelClient.connect(exchange, 'bybit')
  await settled(exchange, again)
  for (const { ws } of [client, again]) ws.close()
  await exchange.close()
})

test('who says nothing is pinged, and closed where it does not even answer that', async () => {
  const { exchange, client } = await connected('okx', { idleTimeoutMs: 1500, pingEveryMs: 200 })
  const silent = new WebSocket(exchange.url, { autoPong: false })
  const code = await new Promise((resolve) => silent.once('close', resolve))
  expect(code).toBe(1008)
  await until(() => exchange.clients === 1)
  expect(exchange.counts.silent).toBe(1)
  expect(client.pings).toBeGreaterThan(1)
  client.ws.close()
  await exchange.close()
})

test('a heartbeat comes where a venue has nothing else to say', async () => {
  for (const [venue, text] of [
    ['kraken', 'heartbeat'],
    ['coinbase', 'heartbeats'],
  ] as const) {
    const { exchange, client } = await connected(venue, { heartbeatMs: 50 })
    const beats = () =>
      client.messages.filter((message) => message.includes(`"${text}","`) || message === `{"event":"${text}"}`)
    await until(() => beats().length > 2)
    client.ws.close()
    await exchange.close()
  }
})

test('who does not read is cut off', async () => {
  await using exchange = await made('bybit', { rate: 20_000, slowBytes: 2 ** 20 })
  const client = await ModelClient.connect(exchange, 'bybit')
  client.ws.pause()
  await until(() => exchange.counts.slow === 1)
  await until(() => exchange.clients === 0)
})
