import type { SyntheticMarket } from '../market.js'
import { json, type Protocol, parse, type Session, type Subscription, strings, type Venue } from '../protocol.js'

/**
 * Coinbase Advanced Trade: `level2`, `market_trades`, `heartbeats`; `sequence_num` counts the messages of a connection.
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
 */
const channels = { level2: 'book', market_trades: 'trade' } as const

function message(session: Session, channel: string, events: readonly unknown[]): string {
  const timestamp = new Date().toISOString()
  return json({ channel, client_id: '', timestamp, sequence_num: session.sequence++, events })
}

function confirm(session: Session): void {
  const by: Record<string, string[]> = {}
  for (const { name = '', symbol } of session.subscriptions.values()) by[name] = [...(by[name] ?? []), symbol]
  if (session.notes.has('heartbeats')) by['heartbeats'] = ['heartbeats']
  session.answer(message(session, 'subscriptions', [{ subscriptions: by }]))
}

function request(session: Session, text: string, venue: Venue): void {
  const asked = parse(text)
  const type = asked?.['type']
  const name = asked?.['channel']
  const fail = (reason: string) => session.answer(json({ type: 'error', message: reason }))
  if (type !== 'subscribe' && type !== 'unsubscribe') {
    fail('failure to subscribe')
    return
  }
  if (name === 'heartbeats') {
    if (type === 'subscribe') session.notes.set('heartbeats', '0')
    else session.notes.delete('heartbeats')
    confirm(session)
    return
  }
  if (name !== 'level2' && name !== 'market_trades') {
    fail(`no such channel: ${String(name)}`)
    return
  }
  const wanted = strings(asked?.['product_ids']).map(
    (symbol): Subscription => ({ key: `${name} ${symbol}`, channel: channels[name], symbol, name }),
  )
  const unknown = wanted.find((one) => !venue.has(one))
  if (unknown) {
    fail(`failure to subscribe: no such product ${unknown.symbol}`)
    return
  }
  for (const one of wanted) {
    if (type === 'unsubscribe') session.unsubscribe(one.key)
    else if (!session.subscriptions.has(one.key)) session.subscribe(one)
  }
  confirm(session)
}

const update = (market: SyntheticMarket, side: 'bid' | 'ask', price: number, qty: number, event_time: string) => {
  const [price_level, text] = market.text(price, qty)
  return { side: side === 'bid' ? 'bid' : 'offer', event_time, price_level, new_quantity: qty === 0 ? '0' : text }
}

export const coinbase: Protocol = {
  path: '/',
  numbering: 'event',
  style: 'fixed',
  markets: [
    { symbol: 'BTC-USD', priceDecimals: 2, qtyDecimals: 8, mid: 2_192_173 },
    { symbol: 'ETH-USD', priceDecimals: 2, qtyDecimals: 8, mid: 126_001 },
  ],

  received: request,

  heartbeat(session) {
    const count = session.notes.get('heartbeats')
    if (count === undefined) return undefined
    session.notes.set('heartbeats', String(Number(count) + 1))
    return message(session, 'heartbeats', [{ current_time: new Date().toISOString(), heartbeat_counter: count }])
  },

  snapshot({ symbol }, market, session) {
    const side = (name: 'bid' | 'ask') => {
      const { prices, qtys } = market.book[name]
      return prices.map((price, i) => update(market, name, price, qtys[i] as number, '1970-01-01T00:00:00Z'))
    }
    const updates = [...side('bid'), ...side('ask')]
    return message(session, 'l2_data', [{ type: 'snapshot', product_id: symbol, updates }])
  },

  book({ symbol }, event, market, session) {
    const time = new Date(event.timeMs).toISOString()
    const updates = event.changes.map(({ side, price, qty }) => update(market, side, price, qty, time))
    return message(session, 'l2_data', [{ type: 'update', product_id: symbol, updates }])
  },

  trade({ symbol }, trade, market, session) {
    const [price, size] = market.text(trade.price, trade.qty)
    // The side is the maker's.
    const side = trade.taker === 'buy' ? 'SELL' : 'BUY'
    const time = new Date(trade.timeMs).toISOString()
    const one = { trade_id: String(trade.id), product_id: symbol, price, size, side, time }
    return message(session, 'market_trades', [{ type: 'update', trades: [one] }])
  },
}
