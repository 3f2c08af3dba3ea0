// Kraken v1 by `JSON.parse`, cut to the subscribed depth after each update: with checksums, as `Feed` does, and without.
import { crc32 } from 'node:zlib'
import { SortedSide } from '../sorted-side.mjs'

const DEPTH = 1000

const setAll = (side, levels) => {
  for (const [price, qty] of levels) side.set(Number(price), Number(qty))
}

/** A level is the message's own pair of texts, of which the checksum is made. */
const setTexts = (side, levels) => {
  for (const level of levels) side.set(Number(level[0]), Number(level[1]) === 0 ? 0 : level)
}

const digits = (text) => text.replace('.', '').replace(/^0+/, '')

/** https://docs.kraken.com/api/docs/guides/spot-ws-book-v1 */
function verify({ bids, asks }, checksum) {
  let text = ''
  for (const { qtys } of [asks, bids]) {
    const last = qtys.length - 1
    for (let i = last; i > last - 10 && i >= 0; i--) text += digits(qtys[i][0]) + digits(qtys[i][1])
  }
  if (crc32(text) !== Number(checksum)) throw new Error('the checksum is another')
}

function follow(messages, setLevels, check) {
  const books = new Map()
  for (const bytes of messages) {
    const message = JSON.parse(bytes.toString('latin1'))
    if (!Array.isArray(message)) continue
    const pair = message.at(-1)
    let checksum
    for (let i = 1; i < message.length - 2; i++) {
      const part = message[i]
      if (part.as) {
        const book = { bids: new SortedSide(1), asks: new SortedSide(-1) }
        setLevels(book.asks, part.as)
        setLevels(book.bids, part.bs)
        books.set(pair, book)
        continue
      }
      const { bids, asks } = books.get(pair)
      if (part.a) setLevels(asks, part.a)
      if (part.b) setLevels(bids, part.b)
      asks.limit(DEPTH)
      bids.limit(DEPTH)
      checksum = part.c ?? checksum
    }
    if (check && checksum) verify(books.get(pair), checksum)
  }
  return books
}

export const books = (messages) => follow(messages, setAll, false)
export const checkedBooks = (messages) => follow(messages, setTexts, true)
