import type { MarketSpec } from '../market.js'
import {
  changed,
  json,
  type Protocol,
  parse,
  type RestAnswer,
  type Session,
  type Subscription,
  strings,
} from '../protocol.js'

/**
 * The streams and the `depth` call of Binance's three markets.
 * https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 * https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams
 */
export type BinanceMarket = 'spot' | 'usdm' | 'coinm'

const channels = { depth: 'book', trade: 'trade', aggTrade: 'trade', bookTicker: 'ticker' } as const

const restPaths = { spot: '/api/v3/depth', usdm: '/fapi/v1/depth', coinm: '/dapi/v1/depth' } as const

const markets: Readonly<Record<BinanceMarket, readonly MarketSpec[]>> = {
  spot: [
    { symbol: 'BTCUSDT', priceDecimals: 8, qtyDecimals: 8, tick: 1_000_000, lot: 1000, mid: 6_180_000 },
    { symbol: 'ETHUSDT', priceDecimals: 8, qtyDecimals: 8, tick: 1_000_000, lot: 10_000, mid: 268_000 },
  ],
  usdm: [
    { symbol: 'BTCUSDT', priceDecimals: 2, qtyDecimals: 3, tick: 10, mid: 618_000 },
    { symbol: 'ETHUSDT', priceDecimals: 2, qtyDecimals: 3, mid: 268_000 },
  ],
  coinm: [{ symbol: 'BTCUSD_PERP', priceDecimals: 1, qtyDecimals: 0, mid: 618_000 }],
}

const captures = {
  spot: { stream: 'binance/spot-btcusdt_20240808.gz' },
  usdm: { stream: 'binance/usdm-btcusdt_20240808.gz' },
  coinm: { stream: 'binance/cm-btcusd_perp_20240808.gz' },
} as const

const pair = (symbol: string) => symbol.split('_')[0]

/** A stream by its name, `btcusdt@depth@100ms`; which speed doesn't matter to the key. */
function stream(name: string): Subscription | undefined {
  const [, symbol, channel] = /^([a-z0-9_]+)@(depth|trade|aggTrade|bookTicker)(?:@\d+ms)?$/.exec(name) ?? []
  if (!symbol || !channel) return undefined
  const known = channels[channel as keyof typeof channels]
  return { key: `${symbol}@${channel}`, channel: known, symbol: symbol.toUpperCase(), name }
}

export function binance(kind: BinanceMarket): Protocol {
  const isFutures = kind !== 'spot'

  const wrap = (subscription: Subscription, session: Session, data: unknown) =>
    json(session.notes.has('combined') ? { stream: subscription.name, data } : data)

  function request(session: Session, text: string, venue: Parameters<Protocol['received']>[2]): void {
    const message = parse(text)
    const id = message?.['id'] ?? null
    const names = strings(message?.['params'])
    if (message?.['method'] === 'LIST_SUBSCRIPTIONS') {
      session.answer(json({ result: [...session.subscriptions.values()].map((s) => s.name), id }))
      return
    }
    if (message?.['method'] !== 'SUBSCRIBE' && message?.['method'] !== 'UNSUBSCRIBE') {
      session.answer(json({ error: { code: 2, msg: 'Invalid request: unknown variant' }, id }))
      return
    }
    session.answer(json({ result: null, id }))
    for (const asked of names.map(stream)) {
      // Binance confirms streams of markets that it doesn't have, and then says nothing.
      if (!asked || !venue.has(asked)) continue
      if (message['method'] === 'SUBSCRIBE') session.subscribe(asked)
      else session.unsubscribe(asked.key)
    }
  }

  return {
    path: '/stream',
    numbering: isFutures ? 'change-skipping' : 'change',
    style: 'fixed',
    markets: markets[kind],
    capture: captures[kind],
    idleTimeoutMs: isFutures ? 600_000 : 60_000,
    pingEveryMs: isFutures ? 180_000 : 20_000,

    connected(session, url, venue) {
      const isCombined = url.pathname.endsWith('/stream')
      if (isCombined) session.notes.set('combined', '')
      const names = isCombined ? url.searchParams.get('streams') : (url.pathname.split('/ws/')[1] ?? '')
      for (const asked of names?.split('/').map(stream) ?? []) if (asked && venue.has(asked)) session.subscribe(asked)
    },

    received: request,

    book(subscription, event, market, session) {
      const { symbol } = subscription
      return wrap(subscription, session, {
        e: 'depthUpdate',
        E: event.timeMs,
        ...(isFutures && { T: event.timeMs }),
        s: symbol,
        ...(kind === 'coinm' && { ps: pair(symbol) }),
        U: event.first,
        u: event.last,
        ...(isFutures && { pu: event.previous }),
        b: changed(market, event.changes, 'bid'),
        a: changed(market, event.changes, 'ask'),
      })
    },

    trade(subscription, trade, market, session) {
      const [p, q] = market.text(trade.price, trade.qty)
      const isAggregate = subscription.key.endsWith('@aggTrade')
      return wrap(subscription, session, {
        e: isAggregate ? 'aggTrade' : 'trade',
        E: trade.timeMs,
        s: subscription.symbol,
        ...(isAggregate ? { a: trade.id } : { t: trade.id }),
        p,
        q,
        ...(isAggregate && { f: trade.id, l: trade.id }),
        T: trade.timeMs,
        ...(isFutures && !isAggregate && { X: 'MARKET' }),
        m: trade.taker === 'sell',
        ...(!isFutures && { M: true }),
      })
    },

    ticker(subscription, event, market) {
      const [bid, ask] = [market.levels('bid', 1)[0], market.levels('ask', 1)[0]]
      const data = { u: event.last, s: subscription.symbol, b: bid?.[0], B: bid?.[1], a: ask?.[0], A: ask?.[1] }
      const times = isFutures ? { e: 'bookTicker', T: event.timeMs, E: event.timeMs } : {}
      return json({ stream: subscription.name, data: { ...data, ...times } })
    },

    rest({ path, query }, venue): RestAnswer | undefined {
      if (path !== restPaths[kind]) return undefined
      const symbol = query.get('symbol') ?? ''
      const limit = Number(query.get('limit') ?? (isFutures ? 500 : 100))
      const book = venue.restBook(symbol, limit)
      if (!book) return { status: 400, body: json({ code: -1121, msg: 'Invalid symbol.' }) }
      if (typeof book === 'string') return { status: 200, body: book }
      const now = Date.now()
      const times = isFutures ? { E: now, T: now } : {}
      const names = kind === 'coinm' ? { symbol, pair: pair(symbol) } : {}
      const body = json({ lastUpdateId: book.sequence, ...times, ...names, bids: book.bids, asks: book.asks })
      return { status: 200, body }
    },

    sort(text) {
      const [, name] = /^\{"stream":"([^"]+)"/.exec(text) ?? []
      const found = name === undefined ? undefined : stream(name)
      return found && { key: found.key, symbol: found.symbol, kind: found.channel }
    },
  }
}
