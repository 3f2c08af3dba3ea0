// The same captures through velox-engine's Feed.
import { Feed } from 'velox-engine/feed'

/** A REST snapshot among the messages of Binance's streams begins with `{"lastUpdateId"`, and nothing else so. */
const isSnapshot = (venue, bytes) => bytes[2] === 0x6c && venue.startsWith('binance')

export function books(venue, symbols, messages) {
  const feed = new Feed({ venue, symbols })
  for (const bytes of messages) {
    if (isSnapshot(venue, bytes)) feed.snapshot(symbols[0], bytes)
    else feed.apply(bytes)
  }
  return feed
}

/** The best `n` levels in decimals, as the others give them. */
export function depth(feed, symbol, n) {
  const book = feed.book(symbol)
  const { instrument } = book
  const pairs = (levels) =>
    levels.map(({ price, qty }) => [Number(instrument.formatPrice(price)), Number(instrument.formatQty(qty))])
  const { bids, asks } = book.depth(n)
  return { bids: pairs(bids), asks: pairs(asks) }
}
