import type { Level } from '../book.js'
import { alternatingChecksum } from '../crc32.js'
import type { SyntheticMarket } from '../market.js'
import { changed, json, type Protocol, parse, type Session, type Subscription, type Venue } from '../protocol.js'
import { DepthView } from '../view.js'

/**
 * OKX's public WebSocket v5: `books` with `seqId`, `prevSeqId` and a CRC-32 of 25 levels a side, and `trades`.
 * https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
 */
function subscription(arg: { channel?: string; instId?: string }): Subscription | undefined {
  const { channel, instId } = arg
  if (typeof instId !== 'string') return undefined
  const key = `${channel}:${instId}`
  if (channel === 'books') return { key, channel: 'book', symbol: instId, view: new DepthView(400, true) }
  if (channel === 'trades') return { key, channel: 'trade', symbol: instId }
  return channel === 'tickers' ? { key, channel: 'ticker', symbol: instId } : undefined
}

function request(session: Session, text: string, venue: Venue): void {
  if (text === 'ping') {
    session.answer('pong')
    return
  }
  const message = parse(text)
  const op = message?.['op']
  const args = message?.['args']
  const fail = (code: string, msg: string) => session.answer(json({ event: 'error', code, msg, connId: 'a4d3ae55' }))
  if ((op !== 'subscribe' && op !== 'unsubscribe') || !Array.isArray(args)) {
    fail('60012', `Illegal request: ${text}`)
    return
  }
  for (const arg of args) {
    const asked = subscription(arg)
    if (!asked || !venue.has(asked))
      fail('60018', `Wrong URL or ${json(arg)} doesn't exist. Please use the correct URL.`)
    else {
      session.answer(json({ event: op, arg }))
      if (op === 'unsubscribe') session.unsubscribe(asked.key)
      else if (!session.subscriptions.has(asked.key)) session.subscribe(asked)
    }
  }
}

/** The number of orders at a level is made up; 0 where there are none. */
const full = ([price, qty]: Level) => [price, qty, '0', qty === '0' ? '0' : '1']

const channelOf = (subscription: Subscription) => subscription.key.split(':')[0]

const arg = (subscription: Subscription) => ({ channel: channelOf(subscription), instId: subscription.symbol })

const checksum = (market: SyntheticMarket) =>
  market.hasChecksums ? alternatingChecksum(market.levels('bid', 25), market.levels('ask', 25)) : 0

export const okx: Protocol = {
  path: '/ws/v5/public',
  numbering: 'skipping',
  style: 'short',
  markets: [
    { symbol: 'BTC-USDT', priceDecimals: 1, qtyDecimals: 8, mid: 302_287 },
    { symbol: 'UNI-USD-SWAP', priceDecimals: 3, qtyDecimals: 0, mid: 5_142 },
  ],
  capture: { stream: 'exchange-captures/OKX.ws.1.0' },
  idleTimeoutMs: 30_000,
  farewell: json({
    event: 'notice',
    code: '64008',
    msg: 'The connection will soon be closed for a service upgrade. Please reconnect.',
    connId: 'a4d3ae55',
  }),

  received: request,

  snapshot(subscription, market) {
    const data = {
      asks: market.levels('ask', 400).map(full),
      bids: market.levels('bid', 400).map(full),
      ts: String(Date.now()),
      checksum: checksum(market),
      prevSeqId: -1,
      seqId: market.sequence,
    }
    return json({ arg: arg(subscription), action: 'snapshot', data: [data] })
  },

  book(subscription, event, market) {
    const told = subscription.view?.after(market.book, event.changes) ?? []
    const data = {
      asks: changed(market, told, 'ask').map(full),
      bids: changed(market, told, 'bid').map(full),
      ts: String(event.timeMs),
      checksum: checksum(market),
      prevSeqId: event.previous,
      seqId: event.last,
    }
    return json({ arg: arg(subscription), action: 'update', data: [data] })
  },

  trade(subscription, trade, market) {
    const [px, sz] = market.text(trade.price, trade.qty)
    const ids = { instId: subscription.symbol, tradeId: String(trade.id) }
    const data = { ...ids, px, sz, side: trade.taker, ts: String(trade.timeMs), count: '1' }
    return json({ arg: arg(subscription), data: [data] })
  },

  sort(text) {
    const [, channel, instId, rest] =
      /^\{"arg":\{"channel":"([^"]+)","instId":"([^"]+)"\},"(action":"\w+)?/.exec(text) ?? []
    if (!channel || !instId) return undefined
    const isSnapshot = rest?.endsWith('snapshot')
    const kind = channel === 'books' ? (isSnapshot ? 'snapshot' : 'book') : channel === 'trades' ? 'trade' : 'ticker'
    return { key: `${channel}:${instId}`, symbol: instId, kind }
  },
}
