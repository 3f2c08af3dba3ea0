import type { OrderBook as Face, Instrument as InstrumentFace, Level, SharedBook, Side } from '../../index.js'
import { checkCount, checkInteger, checkOptions, checkSide, checkTime, refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { Instrument } from '../record/instrument.js'
import { depthOf } from './levels.js'
import { attached, shareOf } from './shared.js'

/** Groups of half of all the ticks above 0 that a price can count. */
const MOST_SHIFT = 52
const ADD = 0
const SET = 1

export class OrderBook implements Face {
  readonly #slot: number
  readonly #instrument: Instrument | undefined
  readonly #tickShift: number

  constructor(o: { instrument?: InstrumentFace; tickShift?: number } = {}, slot?: number) {
    checkOptions(o, ['instrument', 'tickShift'], 'OrderBook')
    const { instrument, tickShift = 0 } = o
    if (instrument !== undefined && !(instrument instanceof Instrument))
      refuse('instrument', 'an Instrument', instrument)
    this.#instrument = instrument
    this.#tickShift = checkInteger('tickShift', tickShift, 0, MOST_SHIFT)
    this.#slot = owned(this, slot ?? native.orderBookNew())
  }

  share(): SharedBook {
    return shareOf(this.#slot, { instrument: this.#instrument, tickShift: this.#tickShift })
  }

  static attach(shared: SharedBook): OrderBook {
    const { slot, instrument, tickShift } = attached(shared, false)
    return new OrderBook({ tickShift, ...(instrument && { instrument }) }, slot)
  }

  updateBid(price: number, delta: number, timestamp: number | bigint): void {
    this.#update(ADD, 0, price, 'delta', delta, timestamp)
  }

  updateAsk(price: number, delta: number, timestamp: number | bigint): void {
    this.#update(ADD, 1, price, 'delta', delta, timestamp)
  }

  setBid(price: number, qty: number, timestamp: number | bigint): void {
    this.#update(SET, 0, price, 'qty', qty, timestamp)
  }

  setAsk(price: number, qty: number, timestamp: number | bigint): void {
    this.#update(SET, 1, price, 'qty', qty, timestamp)
  }

  #update(kind: number, side: number, price: number, field: string, qty: number, timestamp: number | bigint): void {
    checkInteger('price', price)
    checkInteger(field, qty)
    checkTime('timestamp', timestamp)
    call(() => native.orderBookUpdate(this.#slot, kind, side, price, qty, timestamp))
  }

  bestBid(): number | undefined {
    return call(() => native.orderBookBest(this.#slot, 0))
  }

  bestAsk(): number | undefined {
    return call(() => native.orderBookBest(this.#slot, 1))
  }

  spread(): number | undefined {
    return call(() => native.orderBookSpread(this.#slot))
  }

  qtyAt(side: Side, price: number): number {
    checkInteger('price', price)
    return call(() => native.orderBookQtyAt(this.#slot, checkSide('side', side), price))
  }

  depth(levels: number): { bids: Level[]; asks: Level[] } {
    checkCount('levels', levels)
    return depthOf(call(() => native.orderBookDepth(this.#slot, levels, this.#tickShift)))
  }
}
