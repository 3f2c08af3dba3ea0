import type { L2Book as Face, Level, SharedBook, Side, Top } from '../../index.js'
import { checkCount, checkInteger, checkList, checkOptions, checkSide, refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { Instrument } from '../record/instrument.js'
import { depthOf } from './levels.js'
import { attached, shareOf } from './shared.js'

const STATES = ['empty', 'live', 'stale'] as const

/** Where the native side leaves the top of the book that was asked last. */
const top = new Float64Array(new SharedArrayBuffer(48))
const cells = native.l2BookTopCells(new Uint8Array(top.buffer))

export class L2Book implements Face {
  readonly instrument: Instrument
  readonly #slot: number
  readonly #readTop: () => void
  readonly #one = new Float64Array(3)

  constructor(o: { instrument: Instrument }, slot?: number) {
    checkOptions(o, ['instrument'], 'L2Book')
    if (!(o.instrument instanceof Instrument)) refuse('instrument', 'an Instrument', o.instrument)
    this.instrument = o.instrument
    this.#slot = owned(this, slot ?? native.l2BookNew(o.instrument.id))
    this.#readTop = native.l2BookBindTop(this.#slot, cells)
  }

  /** A book that the native side has in a slot of this thread. */
  static of(slot: number, instrument: Instrument): L2Book {
    return new L2Book({ instrument }, slot)
  }

  static slotOf(book: L2Book): number {
    return book.#slot
  }

  share(): SharedBook {
    return shareOf(this.#slot, { instrument: this.instrument })
  }

  static attach(shared: SharedBook): L2Book {
    const { slot, instrument } = attached(shared, true)
    return L2Book.of(slot, instrument as Instrument)
  }

  release(): void {
    native.l2BookRelease(this.#slot)
  }

  get crossed(): boolean {
    return native.l2BookCrossed(this.#slot)
  }

  get state(): 'empty' | 'live' | 'stale' {
    return STATES[native.l2BookState(this.#slot)] as (typeof STATES)[number]
  }

  applySnapshot(s: Parameters<Face['applySnapshot']>[0]): void {
    checkOptions(s, ['bids', 'asks', 'sequence'], 'applySnapshot')
    checkCount('sequence', s.sequence)
    const [bids, asks] = [checkList('bids', s.bids), checkList('asks', s.asks)]
    const levels = new Float64Array(3 * (bids.length + asks.length))
    let at = 0
    for (const [side, of] of [bids, asks].entries()) {
      for (const level of Array.from(of)) {
        if (!Array.isArray(level)) refuse('level', 'a pair of texts: price and quantity', level)
        levels.set([side, this.instrument.price(level[0]), this.instrument.qty(level[1])], at)
        at += 3
      }
    }
    call(() => native.l2BookApply(this.#slot, levels, s.sequence, true))
  }

  set(side: Side, price: number, qty: number): void {
    this.#one[0] = checkSide('side', side)
    this.#one[1] = checkInteger('price', price)
    this.#one[2] = checkCount('qty', qty)
    call(() => native.l2BookApply(this.#slot, this.#one, -1, false))
  }

  apply(levels: ArrayLike<{ side: Side; price: number; qty: number }>, sequence: number): void {
    checkCount('sequence', sequence)
    checkList('levels', levels)
    const flat = new Float64Array(3 * levels.length)
    for (let i = 0; i < levels.length; i++) {
      const level = levels[i] as { side: Side; price: number; qty: number }
      if (typeof level !== 'object' || level === null) refuse('level', 'an object with side, price and qty', level)
      const { side, price, qty } = level
      flat[3 * i] = checkSide('side', side)
      flat[3 * i + 1] = checkInteger('price', price)
      flat[3 * i + 2] = checkCount('qty', qty)
    }
    call(() => native.l2BookApply(this.#slot, flat, sequence, false))
  }

  top(): Top | undefined {
    call(this.#readTop)
    if (top[5] === 0) return undefined
    return { bid: top[0], bidQty: top[1], ask: top[2], askQty: top[3], sequence: top[4] } as Top
  }

  depth(levels: number): { bids: Level[]; asks: Level[] } {
    checkCount('levels', levels)
    return depthOf(call(() => native.l2BookDepth(this.#slot, levels)))
  }

  qtyAt(side: Side, price: number): number {
    checkInteger('price', price)
    return call(() => native.l2BookQtyAt(this.#slot, checkSide('side', side), price))
  }

  vwap(side: Side, qty: number): number | undefined {
    checkCount('qty', qty)
    return native.l2BookVwap(this.#slot, checkSide('side', side), qty)
  }

  imbalance(levels: number): number | undefined {
    checkCount('levels', levels)
    return native.l2BookImbalance(this.#slot, levels)
  }
}
