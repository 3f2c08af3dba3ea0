import type { Book, BookSide, Change, Side } from './book.js'

/** A change as a subscriber of limited depth is told of it. */
export interface Told extends Change {
  /** The level did not change; it came into view because a better one went. */
  readonly isRepublished: boolean
}

/**
 * What a subscriber of the best `depth` levels sees of a book. Kraken leaves it to the subscriber to cut what a new
 * level pushes out of view; the others tell it as removed.
 */
export class DepthView {
  #seen: { readonly [S in BookSide]: [prices: number[], qtys: number[]] } = { bid: [[], []], ask: [[], []] }
  readonly depth: number
  readonly tellsPushedOut: boolean

  constructor(depth: number, tellsPushedOut: boolean) {
    this.depth = depth
    this.tellsPushedOut = tellsPushedOut
  }

  /** Begins again from what a snapshot shows. */
  reset(book: Book): void {
    this.#seen = { bid: this.#top(book.bid), ask: this.#top(book.ask) }
  }

  /** What a subscriber must be told after `changes` made the book what it is now. */
  after(book: Book, changes: readonly Change[]): Told[] {
    const told = [...this.#diff(book.bid, changes), ...this.#diff(book.ask, changes)]
    this.reset(book)
    return told
  }

  #top(side: Side): [number[], number[]] {
    return [side.prices.slice(0, this.depth), side.qtys.slice(0, this.depth)]
  }

  *#diff(now: Side, changes: readonly Change[]): Generator<Told> {
    const { side } = now
    const [prices, qtys] = this.#seen[side]
    const end = Math.min(this.depth, now.length)
    const isBetter = (a: number, b: number) => (side === 'ask' ? a < b : a > b)
    let before = 0
    let after = 0
    while (before < prices.length || after < end) {
      const old = prices[before]
      const price = now.prices[after]
      if (after < end && price !== undefined && (old === undefined || isBetter(price, old))) {
        const isRepublished = !changes.some((change) => change.side === side && change.price === price)
        yield { side, price, qty: now.qtys[after] as number, isRepublished }
        after++
      } else if (old !== undefined && (after >= end || price !== old)) {
        if (this.tellsPushedOut || now.qtyAt(old) === 0) yield { side, price: old, qty: 0, isRepublished: false }
        before++
      } else {
        const qty = now.qtys[after] as number
        if (qty !== qtys[before]) yield { side, price: price as number, qty, isRepublished: false }
        before++
        after++
      }
    }
  }
}
