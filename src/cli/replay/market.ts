import type { Batch, Trade } from '../../../index.js'
import { L2Book } from '../../book/l2-book.js'
import type { Instrument } from '../../record/instrument.js'

/** What was in a file of one market. Prices and quantities are decimals, as the venue writes them. */
export interface MarketFacts {
  readonly symbol: string
  readonly venue: string
  readonly tick: string
  readonly lot: string
  readonly state: 'empty' | 'live' | 'stale'
  readonly top?: { readonly bid: string; readonly bidQty: string; readonly ask: string; readonly askQty: string }
  readonly trades: TradeFacts
}

export interface TradeFacts {
  readonly count: number
  readonly volume: string
  readonly first?: string
  readonly high?: string
  readonly low?: string
  readonly last?: string
  /** Average price by quantity, of more digits than a tick has. */
  readonly vwap?: number
  /** When the first and the last were received, UTC. */
  readonly from?: string
  readonly to?: string
}

/** A market of a replay: its book, and what its trades add up to. */
export class Market {
  readonly instrument: Instrument
  readonly book: L2Book
  #count = 0
  #volume = 0
  /** Of price × quantity: beyond 2^53 it is rounded, as an average may be. */
  #value = 0
  #first = 0
  #high = Number.NEGATIVE_INFINITY
  #low = Number.POSITIVE_INFINITY
  #last = 0
  #fromMicros = 0
  #toMicros = 0

  constructor(instrument: Instrument) {
    this.instrument = instrument
    this.book = new L2Book({ instrument })
  }

  /** Takes trade `i` of a batch. */
  take(batch: Batch<typeof Trade>, i: number): void {
    const price = batch.price(i)
    const qty = batch.qty(i)
    this.#toMicros = batch.receiveTs.micros(i)
    if (this.#count++ === 0) {
      this.#first = price
      this.#fromMicros = this.#toMicros
    }
    this.#volume += qty
    this.#value += price * qty
    this.#high = Math.max(this.#high, price)
    this.#low = Math.min(this.#low, price)
    this.#last = price
  }

  get facts(): MarketFacts {
    const { symbol, venue, tick, lot } = this.instrument
    const top = this.book.top()
    const price = (ticks: number) => this.instrument.formatPrice(ticks)
    const qty = (lots: number) => this.instrument.formatQty(lots)
    return {
      symbol,
      venue,
      tick,
      lot,
      state: this.book.state,
      ...(top && {
        top: { bid: price(top.bid), bidQty: qty(top.bidQty), ask: price(top.ask), askQty: qty(top.askQty) },
      }),
      trades: {
        count: this.#count,
        volume: qty(this.#volume),
        ...(this.#count > 0 && {
          first: price(this.#first),
          high: price(this.#high),
          low: price(this.#low),
          last: price(this.#last),
          ...(this.#volume > 0 && { vwap: (this.#value / this.#volume) * Number(tick) }),
          from: instant(this.#fromMicros),
          to: instant(this.#toMicros),
        }),
      },
    }
  }
}

const instant = (micros: number): string => new Date(micros / 1000).toISOString()
