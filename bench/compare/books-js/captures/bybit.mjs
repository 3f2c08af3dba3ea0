// Bybit's form of 2021 (`orderBookL2_25`) by `JSON.parse`.
import { SortedSide } from '../sorted-side.mjs'

export function books(messages) {
  const books = new Map()
  const set = ({ price, symbol, side, size = 0 }) => {
    const book = books.get(symbol)
    const own = side === 'Buy' ? book.bids : book.asks
    own.set(Number(price), Number(size))
  }
  for (const bytes of messages) {
    const { topic, type, data } = JSON.parse(bytes.toString('latin1'))
    if (!topic?.startsWith('orderBook')) continue
    if (type === 'snapshot') {
      books.set(data.order_book[0].symbol, { bids: new SortedSide(1), asks: new SortedSide(-1) })
      for (const level of data.order_book) set(level)
    } else {
      for (const level of data.delete) set({ ...level, size: 0 })
      for (const level of data.update) set(level)
      for (const level of data.insert) set(level)
    }
  }
  return books
}
