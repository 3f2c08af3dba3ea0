import { alternatingChecksum } from '../crc32.js'
import type { SyntheticMarket } from '../market.js'
import { changed, json, type Protocol, parse, type Session, type Subscription, type Venue } from '../protocol.js'

/**
 * Bitget v2: `books` with `seq` and a CRC-32 of 25 levels a side, and `trade`.
 * https://www.bitget.com/api-doc/spot/websocket/public/Depth-Channel https://www.bitget.com/api-doc/common/websocket-intro
 */
interface Arg {
  readonly instType?: string
  readonly channel?: string
  readonly instId?: string
}

function subscription({ instType, channel, instId }: Arg): Subscription | undefined {
  if (!instId || !instType || (channel !== 'books' && channel !== 'trade')) return undefined
  const key = `${channel}:${instId}`
  return { key, channel: channel === 'books' ? 'book' : 'trade', symbol: instId, name: instType }
}

function request(session: Session, text: string, venue: Venue): void {
  if (text === 'ping') {
    session.answer('pong')
    return
  }
  const message = parse(text)
  const op = message?.['op']
  const args = message?.['args']
  const fail = (code: number, msg: string, arg?: Arg) => session.answer(json({ event: 'error', arg, code, msg, op }))
  if ((op !== 'subscribe' && op !== 'unsubscribe') || !Array.isArray(args)) {
    fail(30003, 'Invalid request')
    return
  }
  for (const arg of args as Arg[]) {
    const asked = subscription(arg)
    if (!asked || !venue.has(asked)) fail(30001, `instType:${arg.instType},channel:${arg.channel} doesn't exist`, arg)
    else {
      session.answer(json({ event: op, arg }))
      if (op === 'unsubscribe') session.unsubscribe(asked.key)
      else if (!session.subscriptions.has(asked.key)) session.subscribe(asked)
    }
  }
}

const arg = ({ key, name, symbol }: Subscription) => ({ instType: name, channel: key.split(':')[0], instId: symbol })

const checksum = (market: SyntheticMarket) =>
  market.hasChecksums ? alternatingChecksum(market.levels('bid', 25), market.levels('ask', 25)) : 0

export const bitget: Protocol = {
  path: '/v2/ws/public',
  numbering: 'skipping',
  style: 'fixed',
  markets: [
    { symbol: 'BTCUSDT', priceDecimals: 2, qtyDecimals: 6, mid: 2_627_480 },
    { symbol: 'ETHUSDT', priceDecimals: 2, qtyDecimals: 4, mid: 268_012 },
  ],
  idleTimeoutMs: 120_000,

  received: request,

  snapshot(subscription, market) {
    const { bids, asks } = market.truth()
    const ts = Date.now()
    const data = { asks, bids, checksum: checksum(market), seq: market.sequence, ts: String(ts) }
    return json({ action: 'snapshot', arg: arg(subscription), data: [data], ts })
  },

  book(subscription, event, market) {
    const ts = event.timeMs
    const data = {
      asks: changed(market, event.changes, 'ask'),
      bids: changed(market, event.changes, 'bid'),
      checksum: checksum(market),
      seq: event.last,
      ts: String(ts),
    }
    return json({ action: 'update', arg: arg(subscription), data: [data], ts })
  },

  trade(subscription, trade, market) {
    const [price, size] = market.text(trade.price, trade.qty)
    const data = { ts: String(trade.timeMs), price, size, side: trade.taker, tradeId: String(trade.id) }
    return json({ action: 'update', arg: arg(subscription), data: [data], ts: trade.timeMs })
  },
}
