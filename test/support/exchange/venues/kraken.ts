import { krakenChecksum } from '../crc32.js'
import type { SyntheticMarket } from '../market.js'
import { json, type Protocol, parse, type Session, type Subscription, strings, type Venue } from '../protocol.js'
import { DepthView, type Told } from '../view.js'

/**
 * Kraken's WebSocket API v1: `subscribe` by pair, books with a CRC-32 of their best ten levels and without numbers.
 * https://docs.kraken.com/api/docs/websocket-v1/book https://docs.kraken.com/api/docs/websocket-v1/trade
 */
const depths = [10, 25, 100, 500, 1000]

const seconds = (ms: number) => (ms / 1000).toFixed(6)

const channelName = (subscription: Subscription) => subscription.key.split(' ')[0]

/** Kraken gives each stream a number; here it is drawn from the key, so that a stream keeps it. */
const channelId = (key: string) => [...key].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 9973, 7)

function subscription(name: string, symbol: string, depth: number): Subscription {
  if (name === 'trade') return { key: `trade ${symbol}`, channel: 'trade', symbol }
  return { key: `book-${depth} ${symbol}`, channel: 'book', symbol, view: new DepthView(depth, false) }
}

function request(session: Session, text: string, venue: Venue): void {
  const message = parse(text)
  const reqid = message?.['reqid'] === undefined ? {} : { reqid: message['reqid'] }
  const event = message?.['event']
  if (event === 'ping') {
    session.answer(json({ event: 'pong', ...reqid }))
    return
  }
  if (event !== 'subscribe' && event !== 'unsubscribe') {
    session.answer(json({ errorMessage: 'Malformed request', event: 'error' }))
    return
  }
  const details = (message?.['subscription'] ?? {}) as { name?: string; depth?: number }
  const { name = '', depth = 10 } = details
  for (const pair of strings(message?.['pair'])) {
    const refuse = (errorMessage: string) => {
      const status = { event: 'subscriptionStatus', pair, status: 'error', subscription: { ...details } }
      session.answer(json({ errorMessage, ...status, ...reqid }))
    }
    const asked = subscription(name, pair, depth)
    if (name !== 'book' && name !== 'trade') refuse('Subscription name invalid')
    else if (name === 'book' && !depths.includes(depth)) refuse('Subscription depth not supported')
    else if (!venue.has(asked)) refuse(`Currency pair not supported ${pair}`)
    else if (event === 'subscribe' && session.subscriptions.has(asked.key)) refuse('Already subscribed')
    else if (event === 'unsubscribe' && !session.subscriptions.has(asked.key)) refuse('Subscription Not Found')
    else {
      const status = event === 'subscribe' ? 'subscribed' : 'unsubscribed'
      const confirmation = {
        channelID: channelId(asked.key),
        channelName: channelName(asked),
        event: 'subscriptionStatus',
        pair,
        ...reqid,
        status,
        subscription: name === 'book' ? { depth, name } : { name },
      }
      const captured = event === 'subscribe' ? venue.confirmation(asked.key) : undefined
      session.answer(captured ?? json(confirmation))
      if (event === 'subscribe') session.subscribe(asked)
      else session.unsubscribe(asked.key)
    }
  }
}

const entry = (market: SyntheticMarket, { price, qty, isRepublished }: Told, time: string) => [
  ...market.text(price, qty),
  time,
  ...(isRepublished ? ['r'] : []),
]

const checksum = (market: SyntheticMarket) => krakenChecksum(market.levels('bid', 10), market.levels('ask', 10))

export const kraken: Protocol = {
  path: '/',
  numbering: 'event',
  style: 'fixed',
  markets: [
    { symbol: 'XBT/USD', priceDecimals: 5, qtyDecimals: 8, tick: 10_000, mid: 562_183 },
    { symbol: 'ADA/XBT', priceDecimals: 9, qtyDecimals: 8, tick: 10, mid: 2_290 },
  ],
  capture: { stream: 'exchange-captures/KRAKEN.ws.50.0' },
  heartbeat: (session) => (session.subscriptions.size > 0 ? json({ event: 'heartbeat' }) : undefined),

  connected(session) {
    session.answer(
      json({
        connectionID: 17843232920108168701n.toString(),
        event: 'systemStatus',
        status: 'online',
        version: '1.9.6',
      }),
    )
  },

  received: request,

  snapshot(subscription, market) {
    const depth = subscription.view?.depth
    const time = seconds(Date.now())
    const side = (name: 'bid' | 'ask') => market.levels(name, depth).map((level) => [...level, time])
    const id = channelId(subscription.key)
    return json([id, { as: side('ask'), bs: side('bid') }, channelName(subscription), subscription.symbol])
  },

  book(subscription, event, market) {
    const told = subscription.view?.after(market.book, event.changes) ?? []
    if (told.length === 0) return undefined
    const time = seconds(event.timeMs)
    const side = (name: 'bid' | 'ask') => told.filter((t) => t.side === name).map((t) => entry(market, t, time))
    const [asks, bids] = [side('ask'), side('bid')]
    const parts: Record<string, unknown>[] = []
    if (asks.length > 0) parts.push({ a: asks })
    if (bids.length > 0) parts.push({ b: bids })
    // The checksum is in the last part, after both sides.
    parts.push({ ...parts.pop(), c: checksum(market) })
    return json([channelId(subscription.key), ...parts, channelName(subscription), subscription.symbol])
  },

  trade(subscription, trade, market) {
    const side = trade.taker === 'buy' ? 'b' : 's'
    const fields = [...market.text(trade.price, trade.qty), seconds(trade.timeMs), side, 'm', '']
    return json([channelId(subscription.key), [fields], 'trade', subscription.symbol])
  },

  sort(text) {
    const [, captured, depth] = /"pair":"([^"]+)","status":"subscribed","subscription":\{"depth":(\d+)/.exec(text) ?? []
    if (captured) return { key: `book-${depth} ${captured}`, symbol: captured, kind: 'confirmation' }
    const [, name, pair] = /^\[.*,"([^"]+)","([^"]+)"\]$/.exec(text) ?? []
    if (!name || !pair) return undefined
    const kind = name === 'trade' ? 'trade' : /^\[\d+,\{"as"/.test(text) ? 'snapshot' : 'book'
    return { key: `${name} ${pair}`, symbol: pair, kind }
  },
}
