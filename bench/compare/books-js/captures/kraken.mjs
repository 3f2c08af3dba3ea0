// Kraken v1 by `JSON.parse`, cut to the subscribed depth after each update; checksums are not looked at.
import { SortedSide } from '../sorted-side.mjs'

const DEPTH = 1000

const setAll = (side, levels) => {
  for (const [price, qty] of levels) side.set(Number(price), Number(qty))
}

export function books(messages) {
  const books = new Map()
  for (const bytes of messages) {
    const message = JSON.parse(bytes.toString('latin1'))
    if (!Array.isArray(message)) continue
    const pair = message.at(-1)
    for (let i = 1; i < message.length - 2; i++) {
      const part = message[i]
      if (part.as) {
        const book = { bids: new SortedSide(1), asks: new SortedSide(-1) }
        setAll(book.asks, part.as)
        setAll(book.bids, part.bs)
        books.set(pair, book)
        continue
      }
      const { bids, asks } = books.get(pair)
      if (part.a) setAll(asks, part.a)
      if (part.b) setAll(bids, part.b)
      asks.limit(DEPTH)
      bids.limit(DEPTH)
    }
  }
  return books
}
