import type { Batch, Element, Infer } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import type { Codec } from '../record/codec.js'
import type { FieldSpec } from '../record/fields.js'
import type { Scalar } from '../record/scalars.js'

/** A name that no field of a record can have. */
export const DURING: unique symbol = Symbol('during')

/** Records in place, for the length of one callback. */
export class RingBatch<T extends Element> {
  readonly #view: DataView
  readonly #codec: Codec<T>
  readonly #offsetOf: (cursor: number) => number
  #from = 0
  #length = 0
  #open = false

  constructor(view: DataView, codec: Codec<T>, offsetOf: (cursor: number) => number) {
    this.#view = view
    this.#codec = codec
    this.#offsetOf = offsetOf
    for (const { name, offset, spec, scalar } of codec.fields) this.#define(name, offset, spec, scalar)
  }

  #define(name: string, offset: number, spec: FieldSpec, scalar: Scalar): void {
    const read = (i: number) => scalar.read(this.#view, this.#at(i) + offset)
    if (spec.kind === 'nanos') {
      const micros = (i: number) => {
        const at = this.#at(i) + offset
        return (this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)) / 1000
      }
      Object.assign(read, { micros })
    }
    Object.defineProperty(this, name, { value: read, enumerable: true })
  }

  #at(i: number): number {
    if (!this.#open) throw new VeloxError('VELOX_STALE_BATCH', { ring: this.#codec.name })
    if (!(Number.isInteger(i) && i >= 0 && i < this.#length)) checkInteger('i', i, 0, this.#length - 1)
    return this.#offsetOf(this.#from + i)
  }

  get length(): number {
    return this.#length
  }

  at(i: number): Infer<T> {
    return this.#codec.read(this.#view, this.#at(i))
  }

  toArray(): Infer<T>[] {
    return Array.from({ length: this.#length }, (_, i) => this.at(i))
  }

  /** Lets `read` see `length` records from a cursor on. */
  [DURING](from: number, length: number, read: (batch: Batch<T>) => void): void {
    this.#from = from
    this.#length = length
    this.#open = true
    try {
      read(this as unknown as Batch<T>)
    } finally {
      this.#open = false
    }
  }
}
