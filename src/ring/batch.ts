import type { Batch, Element, Infer } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { type Column, readerOf, type Window } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'
import { scalarOf } from '../record/scalars.js'

/** A name that no field of a record can have. */
export const DURING: unique symbol = Symbol('during')
export const LEND: unique symbol = Symbol('lend')
export const RETURN: unique symbol = Symbol('return')

/** Records in place, for the length of one callback. */
export class RingBatch<T extends Element> {
  readonly #codec: Codec<T>
  /** Nothing can be seen while its length is 0. */
  readonly #window: Window

  constructor(view: DataView, codec: Codec<T>, base: number, stride: number, mask: number) {
    this.#codec = codec
    this.#window = { view, base, stride, mask, from: 0, length: 0 }
    for (const column of codec.fields) this.#define(column.name, column)
  }

  #define(name: string, column: Column): void {
    const refuse = (i: number) => this.#refuse(i)
    const value = readerOf(this.#window, column, refuse)
    if (column.spec.kind === 'nanos') {
      const spec = { kind: 'u32' } as const
      const half = { ...column, spec, scalar: scalarOf(this.#codec.name, name, spec) }
      const whole = readerOf(this.#window, half, refuse)
      const high = readerOf(this.#window, { ...half, offset: column.offset + 4 }, refuse)
      Object.assign(value, { micros: (i: number) => ((high(i) as number) * 2 ** 32 + (whole(i) as number)) / 1000 })
    }
    Object.defineProperty(this, name, { value, enumerable: true })
  }

  #refuse(i: number): never {
    const { length } = this.#window
    if (length === 0) throw new VeloxError('VELOX_STALE_BATCH', { ring: this.#codec.name })
    checkInteger('i', i, 0, length - 1)
    throw new RangeError('unreachable: the index is one')
  }

  get length(): number {
    return this.#window.length
  }

  at(i: number): Infer<T> {
    const { view, base, stride, mask, from, length } = this.#window
    if (i >>> 0 !== i || i >= length) this.#refuse(i)
    return this.#codec.read(view, base + ((from + i) & mask) * stride)
  }

  toArray(): Infer<T>[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i))
  }

  /** Lets `read` see `length` records from a cursor on. */
  [DURING](from: number, length: number, read: (batch: Batch<T>) => void): void {
    this.#window.from = from
    this.#window.length = length
    try {
      read(this as unknown as Batch<T>)
    } finally {
      this.#window.length = 0
    }
  }

  /** Shows `length` records from a cursor on, until [RETURN]. */
  [LEND](from: number, length: number): Batch<T> {
    this.#window.from = from
    this.#window.length = length
    return this as unknown as Batch<T>
  }

  /** Shows nothing any more; says how many records were shown. */
  [RETURN](): number {
    const { length } = this.#window
    this.#window.length = 0
    return length
  }
}
