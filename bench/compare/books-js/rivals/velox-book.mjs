// velox-engine's L2Book given decoded levels, as objects, by `apply`.
import { Instrument, L2Book } from 'velox-engine'
import { lot, symbol, tick } from '../stream.mjs'

export const name = 'velox L2Book.apply'

const sides = [
  ['bid', 'bids'],
  ['ask', 'asks'],
]

export const prepare = ({ snapshot, events }) => {
  const ticks = (event) => ({
    levels: sides.flatMap(([side, key]) =>
      event[key].map(({ price, qty }) => ({ side, price: Math.round(price / tick), qty: Math.round(qty / lot) })),
    ),
    sequence: event.sequence,
  })
  const text = (side) => side.map(({ price, qty }) => [price.toFixed(1), qty.toFixed(3)])
  const { bids, asks, sequence } = snapshot
  return { snapshot: { bids: text(bids), asks: text(asks), sequence }, events: events.map(ticks) }
}

export function make({ snapshot }) {
  const book = new L2Book({ instrument: new Instrument({ symbol, venue: 'binance-usdm', tick: '0.1', lot: '0.001' }) })
  book.applySnapshot(snapshot)
  return book
}

export const apply = (book, { levels, sequence }) => book.apply(levels, sequence)

export function best(book) {
  const { bid, ask, bidQty, askQty } = book.top()
  return bid * tick + ask * tick + bidQty * lot + askQty * lot
}

export function depth(book, n) {
  const pairs = (levels) => levels.map(({ price, qty }) => [price * tick, qty * lot])
  const { bids, asks } = book.depth(n)
  return { bids: pairs(bids), asks: pairs(asks) }
}
