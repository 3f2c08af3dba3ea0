import {
  changed,
  json,
  type Protocol,
  parse,
  type Session,
  type Subscription,
  strings,
  type Venue,
} from '../protocol.js'
import { DepthView } from '../view.js'

/**
 * Bybit v5 (`orderbook.50.SYMBOL`, `publicTrade.SYMBOL`), and for the capture the form before it (`orderBookL2_25.…`,
 * `trade.…`), which is asked for in the same way. https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
 */
function subscription(topic: string): Subscription | undefined {
  const [, depth, symbol, traded] =
    /^(?:orderbook\.(\d+)\.|orderBookL2_25\.)(\w+)$|^(?:publicTrade|trade)\.(\w+)$/.exec(topic) ?? []
  if (traded) return { key: topic, channel: 'trade', symbol: traded }
  if (!symbol) return undefined
  return { key: topic, channel: 'book', symbol, view: new DepthView(Number(depth ?? 25), true) }
}

/** The capture is older than v5: asked for by v5's names, its streams come in their own form. */
const captured = ({ channel, symbol }: Subscription) =>
  subscription(channel === 'book' ? `orderBookL2_25.${symbol}` : `trade.${symbol}`)

const connId = '0970e817-426e-429a-a679-ff7f55e0b16a'

function request(session: Session, text: string, venue: Venue): void {
  const message = parse(text)
  const op = message?.['op']
  const isV5 = session.notes.get('v5') !== undefined
  const id = typeof message?.['req_id'] === 'string' ? message['req_id'] : ''
  const answer = (success: boolean, ret_msg: string) => {
    const tail = isV5 ? { req_id: id, op } : { request: message }
    session.answer(json({ success, ret_msg, conn_id: connId, ...tail }))
  }
  if (op === 'ping') {
    answer(true, 'pong')
    return
  }
  const args = strings(message?.['args'])
  if (op !== 'subscribe' && op !== 'unsubscribe') {
    answer(false, `error:unknown op ${String(op)}`)
    return
  }
  const asked = args.map((topic) => {
    const one = subscription(topic)
    return one && !venue.market(one.symbol) ? captured(one) : one
  })
  const bad = args.find((_, i) => !asked[i] || !venue.has(asked[i]))
  if (bad !== undefined) {
    answer(false, `error:handler not found,topic:${bad}`)
    return
  }
  answer(true, '')
  for (const one of asked) {
    if (!one) continue
    if (op === 'unsubscribe') session.unsubscribe(one.key)
    else if (!session.subscriptions.has(one.key)) session.subscribe(one)
  }
}

export const bybit: Protocol = {
  path: '/v5/public/linear',
  numbering: 'event',
  style: 'fixed',
  markets: [
    { symbol: 'BTCUSDT', priceDecimals: 2, qtyDecimals: 3, mid: 1_649_350 },
    { symbol: 'XTZUSDT', priceDecimals: 3, qtyDecimals: 1, mid: 7_195 },
  ],
  capture: { stream: 'exchange-captures/BYBIT.ws.25.0' },

  connected(session, url) {
    if (!url.pathname.endsWith('realtime_public')) session.notes.set('v5', '')
  },

  received: request,

  snapshot(subscription, market) {
    const depth = subscription.view?.depth
    const now = Date.now()
    const data = {
      s: subscription.symbol,
      b: market.levels('bid', depth),
      a: market.levels('ask', depth),
      u: market.sequence,
      seq: market.sequence * 7,
    }
    return json({ topic: subscription.key, type: 'snapshot', ts: now, data, cts: now })
  },

  // Also where nothing in view changed: `u` goes up by one from message to message.
  book(subscription, event, market) {
    const told = subscription.view?.after(market.book, event.changes) ?? []
    const data = {
      s: subscription.symbol,
      b: changed(market, told, 'bid'),
      a: changed(market, told, 'ask'),
      u: event.last,
      seq: event.last * 7,
    }
    return json({ topic: subscription.key, type: 'delta', ts: event.timeMs, data, cts: event.timeMs })
  },

  trade(subscription, trade, market) {
    const [p, v] = market.text(trade.price, trade.qty)
    const S = trade.taker === 'buy' ? 'Buy' : 'Sell'
    const T = trade.timeMs
    const data = { T, s: subscription.symbol, S, v, p, L: 'PlusTick', i: String(trade.id), BT: false, seq: trade.id }
    return json({ topic: subscription.key, type: 'snapshot', ts: T, data: [data] })
  },

  sort(text) {
    const [, topic, type] = /^\{"topic":"([^"]+)"(?:,"type":"(\w+)")?/.exec(text) ?? []
    const found = topic === undefined ? undefined : subscription(topic)
    if (!found) return undefined
    return { key: found.key, symbol: found.symbol, kind: type === 'snapshot' ? 'snapshot' : found.channel }
  },
}
