// tardis-dev's OrderBook: `update` with a book change, read by `bestBid()` and `bestAsk()`.
// https://docs.tardis.dev/node-client/orderbook-reconstruction
import { OrderBook } from 'tardis-dev'

export const name = 'tardis-dev OrderBook'

const change = (isSnapshot, { bids, asks }) => {
  const levels = (side) => side.map(({ price, qty }) => ({ price, amount: qty }))
  return { type: 'book_change', isSnapshot, bids: levels(bids), asks: levels(asks) }
}

export const prepare = ({ snapshot, events }) => ({
  snapshot: change(true, snapshot),
  events: events.map((event) => change(false, event)),
})

export function make({ snapshot }) {
  const book = new OrderBook()
  book.update(snapshot)
  return book
}

export const apply = (book, event) => book.update(event)

export function best(book) {
  const bid = book.bestBid()
  const ask = book.bestAsk()
  return bid.price + ask.price + bid.amount + ask.amount
}

export function depth(book, n) {
  const first = (levels) => {
    const pairs = []
    for (const { price, amount } of levels) {
      if (pairs.length === n) break
      pairs.push([price, amount])
    }
    return pairs
  }
  return { bids: first(book.bids()), asks: first(book.asks()) }
}
