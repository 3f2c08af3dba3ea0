// velox-engine's Feed given the bytes as they came: what it decodes is in its time, what the others are given is not.
import { Instrument } from 'velox-engine'
import { Feed } from 'velox-engine/feed'
import { lot, symbol, tick } from '../stream.mjs'

export const name = 'velox Feed.apply, raw bytes'

export const prepare = ({ raw, rawSnapshot }) => ({ events: raw, snapshot: rawSnapshot })

export function make({ snapshot }) {
  const instrument = new Instrument({ symbol, venue: 'binance-usdm', tick: '0.1', lot: '0.001' })
  const feed = new Feed({ venue: 'binance-usdm', symbols: [instrument] })
  feed.snapshot(symbol, snapshot)
  return { feed, book: feed.book(symbol) }
}

export const apply = ({ feed }, bytes) => feed.apply(bytes)

export function best({ book }) {
  const { bid, ask, bidQty, askQty } = book.top()
  return bid * tick + ask * tick + bidQty * lot + askQty * lot
}

export function depth({ book }, n) {
  const pairs = (levels) => levels.map(({ price, qty }) => [price * tick, qty * lot])
  const { bids, asks } = book.depth(n)
  return { bids: pairs(bids), asks: pairs(asks) }
}
