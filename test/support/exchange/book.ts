/** A price and the quantity that rests there, as the venue writes them. */
export type Level = readonly [price: string, qty: string]

export type BookSide = 'bid' | 'ask'

/** What one side of a book holds, best first; prices in ticks, quantities in lots, both ≥ 1. */
export class Side {
  readonly prices: number[]
  readonly qtys: number[]
  readonly #direction: 1 | -1
  readonly side: BookSide

  constructor(side: BookSide, prices: readonly number[] = [], qtys: readonly number[] = []) {
    this.side = side
    this.prices = prices.slice()
    this.qtys = qtys.slice()
    this.#direction = side === 'ask' ? 1 : -1
  }

  get length(): number {
    return this.prices.length
  }

  copy(): Side {
    return new Side(this.side, this.prices, this.qtys)
  }

  /** Where `price` is, or would be. */
  indexOf(price: number): number {
    let low = 0
    let high = this.prices.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (((this.prices[middle] as number) - price) * this.#direction < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  qtyAt(price: number): number {
    const i = this.indexOf(price)
    return this.prices[i] === price ? (this.qtys[i] as number) : 0
  }

  /** Sets what rests at `price`; 0 removes the level. */
  set(price: number, qty: number): void {
    const i = this.indexOf(price)
    const isThere = this.prices[i] === price
    if (qty === 0) {
      if (isThere) {
        this.prices.splice(i, 1)
        this.qtys.splice(i, 1)
      }
    } else if (isThere) {
      this.qtys[i] = qty
    } else {
      this.prices.splice(i, 0, price)
      this.qtys.splice(i, 0, qty)
    }
  }
}

export interface Change {
  readonly side: BookSide
  readonly price: number
  /** 0: nothing rests there any more. */
  qty: number
}

/** Both sides of a book at one instant. */
export class Book {
  readonly bid: Side
  readonly ask: Side

  constructor(bid: Side = new Side('bid'), ask: Side = new Side('ask')) {
    this.bid = bid
    this.ask = ask
  }

  copy(): Book {
    return new Book(this.bid.copy(), this.ask.copy())
  }

  apply(changes: readonly Change[]): void {
    for (const { side, price, qty } of changes) this[side].set(price, qty)
  }
}
