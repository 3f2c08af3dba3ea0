// Books.
import type { Instrument, Side } from './records.js'

export interface Level {
  readonly price: number
  readonly qty: number
}
export interface Top {
  readonly bid: number
  readonly bidQty: number
  readonly ask: number
  readonly askQty: number
  readonly sequence: number
}
/**
 * A book of many writers: updates add to what stands at a price. Exact for any price, and lock-free: a writer tries a quantity
 * 20 times against others on the same price (some 5 ms). A thrown VELOX_BOOK_CONTENDED means: not applied. `bestBid` and
 * `bestAsk` are two reads. Where one thread writes, as for an exchange's feed, `L2Book` is several times as fast.
 */
export class OrderBook {
  /** `tickShift`: `depth()` in groups of 2^tickShift ticks (0 to 52); the best prices stay what they are. */
  constructor(o?: { instrument?: Instrument; tickShift?: number })
  updateBid(price: number, delta: number, timestamp: number | bigint): void
  updateAsk(price: number, delta: number, timestamp: number | bigint): void
  setBid(price: number, qty: number, timestamp: number | bigint): void
  setAsk(price: number, qty: number, timestamp: number | bigint): void
  bestBid(): number | undefined
  bestAsk(): number | undefined
  /** Ask less bid: negative while the book is crossed, undefined while a side is empty. */
  spread(): number | undefined
  qtyAt(side: Side, price: number): number
  depth(levels: number): { bids: Level[]; asks: Level[] }
  share(): SharedBook
  /** The same book in another thread, as long as somebody holds it: VELOX_INVALID_VALUE where nobody does. */
  static attach(shared: SharedBook): OrderBook
}
/** What `share()` gives: send it to a worker by `postMessage` or `workerData`, and `attach` there. */
export interface SharedBook {
  readonly instrument?: Instrument
}
/**
 * A book of one writer and any readers: quantities are set, not added, and a reader sees one consistent instant per exchange
 * event. The first change makes its handle the writer, also among those of `attach()`; any other one gets VELOX_BOOK_OWNED until
 * `release()`, the end of its thread or its collection. A pipeline that gets the writer's handle writes until its run ends.
 */
export class L2Book {
  constructor(o: { instrument: Instrument })
  readonly instrument: Instrument
  /** Whether the best bid is at or above the best ask. Reported, never repaired. */
  readonly crossed: boolean
  /**
   * `stale` after a gap in the data, until the next snapshot, and once a live market or a run that failed feeds it no more:
   * `top()` is undefined then.
   */
  readonly state: 'empty' | 'live' | 'stale'
  /** Replaces the book by decimals as an exchange sends them: `[price, qty]`. */
  applySnapshot(s: {
    bids: ArrayLike<readonly [string, string]>
    asks: ArrayLike<readonly [string, string]>
    sequence: number
  }): void
  set(side: Side, price: number, qty: number): void
  /** undefined until both sides have a level, and while the book is stale. */
  top(): Top | undefined
  depth(levels: number): { bids: Level[]; asks: Level[] }
  /** All levels of one event at one instant: set when qty > 0, removed at 0. If one is refused, none is applied. */
  apply(levels: ArrayLike<{ side: Side; price: number; qty: number }>, sequence: number): void
  qtyAt(side: Side, price: number): number
  /** Average price, in ticks, of taking `qty` lots from a side; undefined when it holds less. */
  vwap(side: Side, qty: number): number | undefined
  /** (bids − asks) ÷ (bids + asks) over the best `levels`: −1 to 1; undefined while both are empty. */
  imbalance(levels: number): number | undefined
  /** Gives up being the writer, for another handle to become it with its next change. */
  release(): void
  share(): SharedBook
  /** The same book in another thread, as long as somebody holds it: VELOX_INVALID_VALUE where nobody does. */
  static attach(shared: SharedBook): L2Book
}
