import { expect, test } from 'vitest'
import WebSocket from 'ws'
import {
  captureFile,
  type Exchange,
  hasCapture,
  readCapture,
  startExchange,
  type VenueName,
} from './support/exchange/index.js'
import { ModelClient } from './support/model-books.js'
import { until } from './support/until.js'

/** What is asked for at the start of each capture, and how many messages of what was asked for it has. */
const captured: Partial<Record<VenueName, { file: string; asks: string[]; path?: string; isData: RegExp }>> = {
  'binance-spot': {
    file: 'binance/spot-btcusdt_20240808.gz',
    asks: ['{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","btcusdt@trade","btcusdt@bookTicker"],"id":1}'],
    isData: /^\{"stream"/,
  },
  'binance-usdm': {
    file: 'binance/usdm-btcusdt_20240808.gz',
    asks: ['{"method":"SUBSCRIBE","params":["btcusdt@depth","btcusdt@trade","btcusdt@bookTicker"],"id":1}'],
    isData: /^\{"stream"/,
  },
  'binance-coinm': {
    file: 'binance/cm-btcusd_perp_20240808.gz',
    asks: ['{"method":"SUBSCRIBE","params":["btcusd_perp@depth","btcusd_perp@trade","btcusd_perp@bookTicker"],"id":1}'],
    isData: /^\{"stream"/,
  },
  kraken: {
    file: 'exchange-captures/KRAKEN.ws.50.0',
    asks: [
      '{"event":"subscribe","pair":["WAVES/EUR","XMR/USD","KSM/XBT","GRT/ETH","SC/EUR"],"subscription":{"name":"book","depth":1000}}',
      '{"event":"subscribe","pair":["ETH/CHF","OCEAN/XBT","OMG/USD","XBT/CHF","ADA/XBT"],"subscription":{"name":"book","depth":1000}}',
    ],
    isData: /^\[|subscriptionStatus/,
  },
  okx: {
    file: 'exchange-captures/OKX.ws.1.0',
    asks: ['tickers', 'trades', 'books'].map((channel) => {
      const args = ['BTC-USD-220527', 'UNI-USD-SWAP', 'BTC-USDT'].map((instId) => ({ channel, instId }))
      return JSON.stringify({ op: 'subscribe', args })
    }),
    isData: /^\{"arg"/,
  },
  bybit: {
    file: 'exchange-captures/BYBIT.ws.25.0',
    path: '/realtime_public',
    asks: ['BCH', 'XTZ', 'UNI', 'LTC', 'DOT', 'LINK', 'ADA', 'ETH'].map(
      (coin) => `{"op":"subscribe","args":["trade.${coin}USDT","orderBookL2_25.${coin}USDT"]}`,
    ),
    isData: /^\{"topic"/,
  },
}

const play = (exchange: Exchange, path: string, asks: readonly string[]) => {
  const messages: string[] = []
  const ws = new WebSocket(path ? exchange.restUrl.replace('http', 'ws') + path : exchange.url)
  ws.on('message', (data) => messages.push(data.toString()))
  ws.on('open', () => {
    for (const text of asks) ws.send(text)
  })
  return { messages, ws }
}

test.skipIf(!hasCapture('bybit'))('the capture from before v5 is there for who asks by v5', async () => {
  await using exchange = await startExchange({ venue: 'bybit', market: 'capture', speed: 'max', symbols: ['XTZUSDT'] })
  const { messages, ws } = play(exchange, '', [
    '{"op":"subscribe","args":["orderbook.200.XTZUSDT","publicTrade.XTZUSDT"]}',
  ])
  await exchange.finished()
  const expected = readCapture(captured.bybit?.file ?? '').filter(({ text }) =>
    /^\{"topic":"[^"]+\.XTZUSDT"/.test(text),
  )
  await until(() => messages.filter((text) => text.startsWith('{"topic"')).length === expected.length)
  ws.close()
})

for (const [venue, { file, asks, path = '', isData }] of Object.entries(captured)) {
  test.skipIf(!hasCapture(venue as VenueName))(
    `${venue}: what is played is what was captured, byte for byte`,
    async () => {
      await using exchange = await startExchange({ venue: venue as VenueName, market: 'capture', speed: 'max' })
      const expected = readCapture(file)
        .map(({ text }) => text)
        .filter((text) => isData.test(text))
      const { messages, ws } = play(exchange, path, asks)
      const played = () => messages.filter((text) => isData.test(text))
      await until(() => played().length >= expected.length)
      await exchange.finished()
      // Confirmations come in the order of the requests, not of the capture.
      const isConfirmation = (text: string) => text.includes('subscriptionStatus')
      expect(played().filter(isConfirmation).sort()).toEqual(expected.filter(isConfirmation).sort())
      const [got, wanted] = [played(), expected].map((all) => all.filter((text) => !isConfirmation(text)))
      expect(got?.length).toBe(wanted?.length)
      expect(got?.findIndex((text, i) => text !== wanted?.[i])).toBe(-1)
      ws.close()
    },
  )
}

test.skipIf(!hasCapture('kraken'))('a capture is played at its own speed, or at a multiple of it', async () => {
  const all = readCapture(captured.kraken?.file ?? '')
  const spanMs = (all.at(-1)?.atMs ?? 0) - (all[0]?.atMs ?? 0)
  const speed = spanMs / 1500
  await using exchange = await startExchange({ venue: 'kraken', market: 'capture', speed })
  const startMs = performance.now()
  const { ws } = play(exchange, '', captured.kraken?.asks ?? [])
  await exchange.finished()
  const tookMs = performance.now() - startMs
  expect(tookMs).toBeGreaterThan(1300)
  expect(tookMs).toBeLessThan(15_000)
  ws.close()
})

test.skipIf(!hasCapture('kraken'))(
  'a market of a capture is played without the others, again from its snapshot when asked again',
  async () => {
    await using exchange = await startExchange({
      venue: 'kraken',
      market: 'capture',
      speed: 'max',
      symbols: ['ADA/XBT'],
    })
    const request = (event: string) =>
      `{"event":"${event}","pair":["ADA/XBT","XBT/CHF"],"subscription":{"name":"book","depth":1000}}`
    const { messages, ws } = play(exchange, '', [request('subscribe')])
    await exchange.finished()
    await until(() => messages.some((text) => text.includes('Currency pair not supported XBT/CHF')))
    const data = () => messages.filter((text) => text.startsWith('['))
    const once = readCapture(captured.kraken?.file ?? '')
      .map(({ text }) => text)
      .filter((text) => /^\[.*"ADA\/XBT"\]$/.test(text))
    await until(() => data().length === once.length)
    expect(data()).toEqual(once)
    ws.send(request('unsubscribe'))
    ws.send(request('subscribe'))
    await until(() => data().length === 2 * once.length)
    expect(data().slice(once.length)).toEqual(once)
    ws.close()
  },
)

const binance = { 'binance-spot': '/api/v3', 'binance-usdm': '/fapi/v1', 'binance-coinm': '/dapi/v1' } as const

test.for(Object.keys(binance) as (keyof typeof binance)[])(
  '%s: the REST snapshot fits the captured stream, also when it is asked for again at its end',
  async (venue, { skip }) => {
    skip(!hasCapture(venue), 'no capture on this machine')
    await using exchange = await startExchange({ venue, market: 'capture', speed: 'max' })
    const client = await ModelClient.connect(exchange, venue)
    await exchange.finished()
    const [symbol = ''] = exchange.symbols
    const book = client.book(symbol)
    const answer = await fetch(`${exchange.restUrl}${binance[venue]}/depth?symbol=${symbol}&limit=100`)
    const rebuilt = (await answer.json()) as { lastUpdateId: number; bids: string[][]; asks: string[][] }
    await until(() => book.sequence === rebuilt.lastUpdateId)
    const { text } =
      readCapture(captured[venue]?.file ?? '').findLast((one) => one.text.includes('"depthUpdate"')) ?? {}
    expect(rebuilt.lastUpdateId).toBe(JSON.parse(text ?? '').data.u)
    expect(book.counts.gaps).toBe(0)
    expect(book.counts.applied).toBeGreaterThan(3000)
    expect({ bids: rebuilt.bids, asks: rebuilt.asks }).toEqual(book.top(100))
    client.ws.close()
  },
)

const many = { stream: 'exchange-captures/BINANCE.ws.1.0', rest: 'exchange-captures/BINANCE.http.0.0' }

test.skipIf(!captureFile(many.stream))('a capture of several markets has the snapshot of each', async () => {
  await using exchange = await startExchange({ venue: 'binance-spot', market: 'capture', speed: 'max', capture: many })
  const client = await ModelClient.connect(exchange, 'binance-spot')
  await exchange.finished()
  expect([...exchange.symbols].sort()).toEqual(['BLZETH', 'LRCBTC', 'NKNUSDT', 'RUNEEUR'])
  for (const symbol of exchange.symbols)
    expect(client.book(symbol)).toMatchObject({ state: 'live', counts: { gaps: 0 } })
  client.ws.close()
})

test.skipIf(!hasCapture('okx'))('faults befall captures too', async () => {
  await using exchange = await startExchange({ venue: 'okx', market: 'capture', speed: 'max' })
  exchange.dropNext(3, { symbol: 'BTC-USDT' })
  exchange.repeatNext(2, { kind: 'trade' })
  const { messages, ws } = play(exchange, '', captured.okx?.asks ?? [])
  await exchange.finished()
  const isData = (text: string) => text.startsWith('{"arg"')
  const expected = readCapture(captured.okx?.file ?? '').filter(({ text }) => isData(text)).length - 3 + 2
  await until(() => messages.filter(isData).length === expected)
  ws.close()
})

test('what is not there is said so', async () => {
  await expect(startExchange({ venue: 'kucoin', market: 'capture' })).rejects.toThrow('no capture of kucoin')
  await expect(startExchange({ venue: 'mtgox' as never, market: 'synthetic' })).rejects.toThrow('no venue mtgox')
  await expect(startExchange({ venue: 'okx', market: 'synthetic', symbols: ['A-B'] })).rejects.toThrow(
    'say its decimals',
  )
  await using exchange = await startExchange({ venue: 'okx', market: 'synthetic' })
  expect(() => exchange.truth('A-B')).toThrow('no made-up market')
})
