import type { BookEvent, SyntheticMarket } from '../market.js'
import {
  json,
  type Protocol,
  parse,
  type RestAnswer,
  type Session,
  type Subscription,
  type Venue,
} from '../protocol.js'

/**
 * KuCoin: a token by REST, `/market/level2:…` with a number on each change, `/market/match:…`, and the book by REST.
 * https://www.kucoin.com/docs-new/3470221w0 https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
 */
const TOKEN =
  '2neAiuYvAU61ZDXANAGAsiL4-iAExhsBXZxftpOeh_55i3Ysy2q2LEsEWU64mdzUOPusi34M_wGoSf7iNyEWJ4aBZXpWhrmY9jKtqkdWoFa75w=='

function subscriptions(topic: unknown): Subscription[] {
  const [, path, symbols] = /^(\/market\/(?:level2|match)):(.+)$/.exec(String(topic)) ?? []
  if (!path || !symbols) return []
  const channel = path.endsWith('level2') ? 'book' : 'trade'
  return symbols.split(',').map((symbol) => ({ key: `${path}:${symbol}`, channel, symbol }))
}

function request(session: Session, text: string, venue: Venue): void {
  const message = parse(text)
  const id = String(message?.['id'] ?? '')
  const type = message?.['type']
  if (type === 'ping') {
    session.answer(json({ id, type: 'pong', timestamp: Date.now() * 1000 }))
    return
  }
  const asked = subscriptions(message?.['topic'])
  if ((type !== 'subscribe' && type !== 'unsubscribe') || asked.length === 0) {
    session.answer(json({ id, type: 'error', code: 404, data: `topic ${String(message?.['topic'])} is not found` }))
    return
  }
  const missing = asked.find((one) => !venue.has(one))
  if (missing) {
    session.answer(json({ id, type: 'error', code: 404, data: `symbol ${missing.symbol} not found` }))
    return
  }
  if (message?.['response'] === true) session.answer(json({ id, type: 'ack' }))
  for (const one of asked) {
    if (type === 'unsubscribe') session.unsubscribe(one.key)
    else if (!session.subscriptions.has(one.key)) session.subscribe(one)
  }
}

function side(event: BookEvent, market: SyntheticMarket, name: 'bid' | 'ask'): string[][] {
  const numbered = event.changes.map((change, i) => ({ ...change, number: String(event.first + i) }))
  return numbered.filter((c) => c.side === name).map((c) => [...market.text(c.price, c.qty), c.number])
}

const ok = (data: unknown): RestAnswer => ({ status: 200, body: json({ code: '200000', data }) })

export const kucoin: Protocol = {
  path: '/',
  numbering: 'change',
  style: 'short',
  markets: [
    { symbol: 'BTC-USDT', priceDecimals: 1, qtyDecimals: 8, mid: 669_764 },
    { symbol: 'ETH-USDT', priceDecimals: 2, qtyDecimals: 7, mid: 268_012 },
  ],
  idleTimeoutMs: 28_000,

  admit: (url) => (url.searchParams.get('token') === TOKEN ? undefined : 401),

  connected(session, url) {
    session.answer(json({ id: url.searchParams.get('connectId') ?? '', type: 'welcome' }))
  },

  received: request,

  rest({ method, path, query }, venue) {
    if (path === '/api/v1/bullet-public' && method === 'POST') {
      const endpoint = {
        endpoint: venue.url,
        encrypt: true,
        protocol: 'websocket',
        pingInterval: 18000,
        pingTimeout: 10000,
      }
      return ok({ token: TOKEN, instanceServers: [endpoint] })
    }
    const [, limit] = /^\/api\/v\d\/market\/orderbook\/level2(?:_(20|100))?$/.exec(path) ?? [undefined, 'none']
    if (limit === 'none') return undefined
    const book = venue.restBook(query.get('symbol') ?? '', limit ? Number(limit) : Infinity)
    if (!book) return { status: 200, body: json({ code: '900001', msg: 'symbol not exists' }) }
    if (typeof book === 'string') return { status: 200, body: book }
    return ok({ time: Date.now(), sequence: String(book.sequence), bids: book.bids, asks: book.asks })
  },

  book({ key, symbol }, event, market) {
    const changes = { asks: side(event, market, 'ask'), bids: side(event, market, 'bid') }
    const range = { sequenceEnd: event.last, sequenceStart: event.first }
    const data = { changes, ...range, symbol, time: event.timeMs }
    return json({ topic: key, type: 'message', subject: 'trade.l2update', data })
  },

  trade({ key, symbol }, trade, market) {
    const [price, size] = market.text(trade.price, trade.qty)
    const ids = { makerOrderId: '671b5007389355000701b1d3', takerOrderId: '671b50161777ff00074c168d' }
    const id = String(trade.id)
    const data = { ...ids, price, sequence: id, side: trade.taker, size, symbol, time: `${trade.timeMs}000000` }
    return json({
      topic: key,
      type: 'message',
      subject: 'trade.l3match',
      data: { ...data, tradeId: id, type: 'match' },
    })
  },
}
