// ccxt's ws OrderBook as its exchanges use it: `store(price, size)` on a side for each level, read as `bids[0]`.
// https://github.com/ccxt/ccxt/blob/master/ts/src/base/ws/OrderBook.ts
import { Exchange } from 'ccxt'

export const name = 'ccxt ws OrderBook'

const exchange = new Exchange()

export const prepare = ({ snapshot, events }) => ({ snapshot, events })

export function make({ snapshot }) {
  const pairs = (levels) => levels.map(({ price, qty }) => [price, qty])
  const book = exchange.orderBook()
  book.reset({ bids: pairs(snapshot.bids), asks: pairs(snapshot.asks), nonce: snapshot.sequence })
  return book
}

export function apply(book, { bids, asks, sequence }) {
  for (const { price, qty } of bids) book.bids.store(price, qty)
  for (const { price, qty } of asks) book.asks.store(price, qty)
  book.nonce = sequence
}

export const best = (book) => book.bids[0][0] + book.asks[0][0] + book.bids[0][1] + book.asks[0][1]

export function depth(book, n) {
  return { bids: [...book.bids.slice(0, n)], asks: [...book.asks.slice(0, n)] }
}
