import type { Element, Infer } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { microsOf, readerOf, type Window } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'

/** Names that no field of a record can have. */
export const OPEN: unique symbol = Symbol('open')
export const CLOSE: unique symbol = Symbol('close')

/** Refuses an index into a batch of `length` records, none where it can't be seen any more; never returns. */
export function refuseIndex(name: string, i: number, length: number): never {
  if (length === 0) throw new VeloxError('VELOX_STALE_BATCH', { ring: name })
  checkInteger('i', i, 0, length - 1)
  throw new RangeError('unreachable: the index is one')
}

/** Records in place, for the length of one callback. */
export class RingBatch<T extends Element> {
  readonly #codec: Codec<T>
  /** Nothing can be seen while its length is 0. */
  readonly #window: Window

  constructor(view: DataView, codec: Codec<T>, base: number, stride: number, mask: number) {
    this.#codec = codec
    const window = { view, base, stride, mask, from: 0, length: 0 }
    this.#window = window
    const miss = (i: number) => refuseIndex(codec.name, i, window.length)
    for (const column of codec.fields) {
      const value = readerOf(window, column, miss)
      if (column.spec.kind === 'nanos') Object.assign(value, { micros: microsOf(window, column, miss) })
      Object.defineProperty(this, column.name, { value, enumerable: true })
    }
  }

  get length(): number {
    return this.#window.length
  }

  at(i: number): Infer<T> {
    const { view, base, stride, mask, from, length } = this.#window
    if (i >>> 0 !== i || i >= length) refuseIndex(this.#codec.name, i, length)
    return this.#codec.read(view, base + ((from + i) & mask) * stride)
  }

  toArray(): Infer<T>[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i))
  }

  /** Shows `length` records from a cursor on, until `CLOSE`. */
  [OPEN](from: number, length: number): void {
    this.#window.from = from
    this.#window.length = length
  }

  [CLOSE](): void {
    this.#window.length = 0
  }
}
