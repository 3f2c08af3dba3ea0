// OKX v5 by `JSON.parse`; checksums are not looked at.
import { SortedSide } from '../sorted-side.mjs'

const setAll = (side, levels) => {
  for (const [price, qty] of levels) side.set(Number(price), Number(qty))
}

export function books(messages) {
  const books = new Map()
  for (const bytes of messages) {
    const { arg, action, data } = JSON.parse(bytes.toString('latin1'))
    if (!data || arg.channel !== 'books') continue
    if (action === 'snapshot') books.set(arg.instId, { bids: new SortedSide(1), asks: new SortedSide(-1) })
    const book = books.get(arg.instId)
    for (const { bids, asks } of data) {
      setAll(book.bids, bids)
      setAll(book.asks, asks)
    }
  }
  return books
}
