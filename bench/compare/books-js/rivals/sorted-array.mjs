// Plain sorted arrays of numbers, by hand.
import { SortedSide } from '../sorted-side.mjs'

export const name = 'plain sorted arrays'

export const prepare = ({ snapshot, events }) => ({ snapshot, events })

export function make({ snapshot }) {
  const book = { bids: new SortedSide(1), asks: new SortedSide(-1) }
  apply(book, snapshot)
  return book
}

export function apply(book, { bids, asks }) {
  for (const { price, qty } of bids) book.bids.set(price, qty)
  for (const { price, qty } of asks) book.asks.set(price, qty)
}

export const best = ({ bids, asks }) => bids.best() + asks.best() + bids.bestQty() + asks.bestQty()

export const depth = ({ bids, asks }, n) => ({ bids: bids.depth(n), asks: asks.depth(n) })
