// OKX v5 by `JSON.parse`: with checksums, as `Feed` does, and without.
import { crc32 } from 'node:zlib'
import { SortedSide } from '../sorted-side.mjs'

const setAll = (side, levels) => {
  for (const [price, qty] of levels) side.set(Number(price), Number(qty))
}

/** A level is the message's own texts, of which the checksum is made. */
const setTexts = (side, levels) => {
  for (const level of levels) side.set(Number(level[0]), Number(level[1]) === 0 ? 0 : level)
}

/** https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel */
function verify({ bids, asks }, checksum) {
  const parts = []
  for (let n = 1; n <= 25; n++) {
    for (const { qtys } of [bids, asks]) {
      const level = qtys[qtys.length - n]
      if (level) parts.push(level[0], level[1])
    }
  }
  if ((crc32(parts.join(':')) | 0) !== checksum) throw new Error('the checksum is another')
}

function follow(messages, setLevels, check) {
  const books = new Map()
  for (const bytes of messages) {
    const { arg, action, data } = JSON.parse(bytes.toString('latin1'))
    if (!data || arg.channel !== 'books') continue
    if (action === 'snapshot') books.set(arg.instId, { bids: new SortedSide(1), asks: new SortedSide(-1) })
    const book = books.get(arg.instId)
    for (const { bids, asks, checksum } of data) {
      setLevels(book.bids, bids)
      setLevels(book.asks, asks)
      if (check) verify(book, checksum)
    }
  }
  return books
}

export const books = (messages) => follow(messages, setAll, false)
export const checkedBooks = (messages) => follow(messages, setTexts, true)
