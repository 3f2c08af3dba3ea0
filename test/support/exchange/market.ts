import { Book, type BookSide, type Change, type Level, type Side } from './book.js'
import { type DecimalStyle, decimal } from './decimal.js'
import { History } from './history.js'
import type { Random } from './random.js'

/** What a synthetic market is made of. */
export interface MarketSpec {
  readonly symbol: string
  /** Decimals that the venue writes; a tick and a lot may be coarser, as with Binance's `61800.20000000`. */
  readonly priceDecimals: number
  readonly qtyDecimals: number
  /** A tick and a lot in units of the last decimal. Default 1. */
  readonly tick?: number
  readonly lot?: number
  /** Where the walk begins, in ticks. */
  readonly mid: number
}

/**
 * How a venue numbers its events. `change`: each change of a level has the next number; `change-skipping`: so, with holes
 * between events; `event`: each event has the next number; `skipping`: numbers only grow.
 */
export type Numbering = 'change' | 'change-skipping' | 'event' | 'skipping'

/** One event of a market: all its changes belong to one instant. */
export interface BookEvent {
  /** The numbers of its first and last change, and the last one of the event before. */
  readonly first: number
  readonly last: number
  readonly previous: number
  readonly timeMs: number
  readonly changes: readonly Change[]
}

export interface TradeEvent {
  /** One more than the trade before of this market. */
  readonly id: number
  readonly timeMs: number
  readonly price: number
  readonly qty: number
  /** The side that took what rested. */
  readonly taker: 'buy' | 'sell'
}

/** The true book after the event that ends with `sequence`, best first, as the venue writes decimals. */
export interface Truth {
  readonly sequence: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export interface MarketOptions {
  readonly numbering: Numbering
  readonly style: DecimalStyle
  readonly random: Random
  /** Levels that a side holds at most. */
  readonly levels: number
  /** Share of events that begin with a trade. */
  readonly trades: number
  readonly keepEvents: number
  /** Whether the venue fills in its checksums where it may leave them 0. */
  readonly checksums: boolean
}

/** A market that the exchange makes up: a book on a random walk, its trades, and the truth at each number. */
export class SyntheticMarket {
  readonly book: Book = new Book()
  readonly history: History
  #sequence: number
  #tradeId = 1000
  readonly #random: Random
  readonly spec: MarketSpec
  readonly #options: MarketOptions

  constructor(spec: MarketSpec, options: MarketOptions) {
    this.spec = spec
    this.#options = options
    const { random, levels } = options
    this.#random = random
    const { mid } = spec
    for (let i = 1; i <= levels * 0.7; i++) {
      this.book.bid.set(mid - i * 2 + random.below(2), this.#qty())
      this.book.ask.set(mid + i * 2 + random.below(2), this.#qty())
    }
    // Real books hold orders absurdly far from the market: a reader with a window of prices must take them too.
    this.book.bid.set(Math.max(1, Math.floor(mid / 100)), 7)
    this.book.ask.set(mid * 10, 7)
    this.#sequence = 1_000_000 + random.below(1_000_000)
    this.history = new History(this.#sequence, this.book, options.keepEvents)
  }

  get hasChecksums(): boolean {
    return this.#options.checksums
  }

  get sequence(): number {
    return this.#sequence
  }

  text(price: number, qty: number): Level {
    const { priceDecimals, qtyDecimals, tick = 1, lot = 1 } = this.spec
    const { style } = this.#options
    return [decimal(price * tick, priceDecimals, style), decimal(qty * lot, qtyDecimals, style)]
  }

  /** The best `depth` levels of a side. */
  levels(side: BookSide, depth: number = Infinity, book: Book = this.book): Level[] {
    const { prices, qtys } = book[side]
    return prices.slice(0, depth).map((price, i) => this.text(price, qtys[i] as number))
  }

  truth(depth?: number): Truth {
    return this.#truth(this.#sequence, this.book, depth)
  }

  /** Throws where `sequence` is no event's last number, or lies before what is kept. */
  truthAt(sequence: number, depth?: number): Truth {
    return this.#truth(sequence, this.history.at(sequence), depth)
  }

  /** The book as it was before the first event that anybody saw. */
  oldTruth(depth?: number): Truth {
    return this.#truth(this.history.start, this.history.at(this.history.start), depth)
  }

  #truth(sequence: number, book: Book, depth?: number): Truth {
    return { sequence, bids: this.levels('bid', depth, book), asks: this.levels('ask', depth, book) }
  }

  /** Makes the next event, with the trade that caused it. */
  next(timeMs: number): { event: BookEvent; trade?: TradeEvent } {
    const changes: Change[] = []
    const isTrade = this.#random.float() < this.#options.trades
    const trade = isTrade ? this.#trade(changes, timeMs) : undefined
    for (let n = this.#random.below(3); n >= 0; n--) this.#change(changes)
    const event = { ...this.#number(changes.length), timeMs, changes }
    this.history.add(event)
    return trade ? { event, trade } : { event }
  }

  #number(changes: number): Pick<BookEvent, 'first' | 'last' | 'previous'> {
    const previous = this.#sequence
    const { numbering } = this.#options
    const skipped = numbering === 'change-skipping' || numbering === 'skipping' ? this.#random.below(20) : 0
    const first = previous + 1 + skipped
    const last = numbering.startsWith('change') ? first + changes - 1 : first
    this.#sequence = last
    return { first, last, previous }
  }

  #set(changes: Change[], side: BookSide, price: number, qty: number): void {
    this.book[side].set(price, qty)
    const earlier = changes.find((change) => change.side === side && change.price === price)
    if (earlier) earlier.qty = qty
    else changes.push({ side, price, qty })
  }

  #trade(changes: Change[], timeMs: number): TradeEvent | undefined {
    const side = this.#random.below(2) === 0 ? 'bid' : 'ask'
    const { prices, qtys } = this.book[side]
    const [price, resting] = [prices[0], qtys[0]]
    if (prices.length < 10 || price === undefined || resting === undefined) return undefined
    const qty = 1 + this.#random.below(resting)
    this.#set(changes, side, price, resting - qty)
    return { id: ++this.#tradeId, timeMs, price, qty, taker: side === 'bid' ? 'sell' : 'buy' }
  }

  #change(changes: Change[]): void {
    const random = this.#random
    const side = random.below(2) === 0 ? 'bid' : 'ask'
    const own = this.book[side]
    const inward = side === 'bid' ? 1 : -1
    const best = own.prices[0] as number
    const spread = (this.book.ask.prices[0] as number) - (this.book.bid.prices[0] as number)
    const kind = random.float()
    // The last level is the one far out: it stays.
    const price = own.prices[Math.min(this.#nearBest(), own.length - 2)] as number
    if (own.length < this.#options.levels / 2) this.#deepen(changes, own)
    else if (spread > 8 && kind < 0.3) this.#insert(changes, side, best + inward * (1 + random.below(spread / 2)))
    else if (kind < 0.5) this.#set(changes, side, price, this.#qty())
    else if (kind < 0.7) this.#set(changes, side, price, 0)
    else this.#insert(changes, side, price + inward * (random.below(4) - 1))
  }

  /** Quantities of all sizes, so that texts have all lengths. */
  #qty(): number {
    return 1 + Math.floor(10 ** (this.#random.float() * 7))
  }

  /** An index that is mostly small: markets move at their best prices. */
  #nearBest(): number {
    const x = this.#random.float()
    return Math.floor(x * x * x * this.#options.levels)
  }

  #insert(changes: Change[], side: BookSide, price: number): void {
    const other = this.book[side === 'bid' ? 'ask' : 'bid']
    const crosses = (best: number) => (side === 'bid' ? best <= price : best >= price)
    if (price < 1 || (other.length < 12 && crosses(other.prices[0] as number))) return
    while (crosses(other.prices[0] as number)) this.#set(changes, other.side, other.prices[0] as number, 0)
    this.#set(changes, side, price, this.#qty())
    const own = this.book[side]
    if (own.length > this.#options.levels) this.#set(changes, side, own.prices[own.length - 2] as number, 0)
  }

  #deepen(changes: Change[], own: Side): void {
    const last = own.prices[own.length - 2] as number
    const step = (1 + this.#random.below(3)) * (own.side === 'ask' ? 1 : -1)
    this.#set(changes, own.side, last + step, this.#qty())
  }
}
