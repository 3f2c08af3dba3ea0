/** One side of a book as two plain sorted arrays, the best last: what a careful user writes by hand. */
export class SortedSide {
  prices = []
  qtys = []

  /** `direction` is 1 for bids and −1 for asks. */
  constructor(direction) {
    this.direction = direction
  }

  set(price, qty) {
    const { prices, qtys, direction } = this
    const key = price * direction
    let low = 0
    let high = prices.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (prices[middle] < key) low = middle + 1
      else high = middle
    }
    if (prices[low] === key) {
      if (qty !== 0) qtys[low] = qty
      else {
        prices.splice(low, 1)
        qtys.splice(low, 1)
      }
    } else if (qty !== 0) {
      prices.splice(low, 0, key)
      qtys.splice(low, 0, qty)
    }
  }

  clear() {
    this.prices.length = 0
    this.qtys.length = 0
  }

  /** Keeps the best `n` levels. */
  limit(n) {
    const excess = this.prices.length - n
    if (excess <= 0) return
    this.prices.splice(0, excess)
    this.qtys.splice(0, excess)
  }

  best() {
    return this.prices.at(-1) * this.direction
  }

  bestQty() {
    return this.qtys.at(-1)
  }

  depth(n) {
    const { prices, qtys, direction } = this
    const pairs = []
    for (let i = prices.length - 1; i >= 0 && pairs.length < n; i--) pairs.push([prices[i] * direction, qtys[i]])
    return pairs
  }
}
