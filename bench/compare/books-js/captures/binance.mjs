// Binance by `JSON.parse`, as its documentation says to keep a book.
import { SortedSide } from '../sorted-side.mjs'

const setAll = (side, levels) => {
  for (const [price, qty] of levels) side.set(Number(price), Number(qty))
}

export function books(messages) {
  const books = new Map()
  const waiting = []
  let lastUpdateId
  const update = ({ s, b, a }) => {
    let book = books.get(s)
    if (!book) {
      book = { bids: new SortedSide(1), asks: new SortedSide(-1) }
      books.set(s, book)
    }
    setAll(book.bids, b)
    setAll(book.asks, a)
  }
  for (const bytes of messages) {
    const message = JSON.parse(bytes.toString('latin1'))
    if (message.data?.e === 'depthUpdate') {
      if (lastUpdateId === undefined) waiting.push(message.data)
      else if (message.data.u >= lastUpdateId) update(message.data)
    } else if (message.lastUpdateId !== undefined) {
      lastUpdateId = message.lastUpdateId
      const symbol = waiting[0].s
      update({ s: symbol, b: message.bids, a: message.asks })
      for (const event of waiting) if (event.u >= lastUpdateId) update(event)
    }
  }
  return books
}
