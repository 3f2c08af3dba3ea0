import type { Element, Input } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import type { Codec } from '../record/codec.js'

/** Names that no field of a record can have. */
export const OPEN: unique symbol = Symbol('open')
export const CLOSE: unique symbol = Symbol('close')

/** Records written in place, for the length of one `poll`. */
export class StageWriter<T extends Element> {
  readonly #view: DataView
  readonly #codec: Codec<T>
  readonly #stride: number
  readonly #capacity: number
  #length = 0
  #open = false

  constructor(view: DataView, codec: Codec<T>, stride: number, capacity: number) {
    this.#view = view
    this.#codec = codec
    this.#stride = stride
    this.#capacity = capacity
    for (const { name, offset, scalar } of codec.fields) {
      const write = (i: number, value: never) => {
        scalar.write(this.#view, this.#at(i) + offset, value)
        if (i >= this.#length) this.#length = i + 1
      }
      Object.defineProperty(this, name, { value: write, enumerable: true })
    }
  }

  #at(i: number): number {
    if (!this.#open) throw new VeloxError('VELOX_STALE_BATCH', { ring: this.#codec.name })
    if (!(Number.isInteger(i) && i >= 0 && i < this.#capacity)) checkInteger('i', i, 0, this.#capacity - 1)
    return i * this.#stride
  }

  push(value: Input<T>): boolean {
    if (this.#length === this.#capacity) return false
    this.#codec.write(this.#view, this.#at(this.#length), value)
    this.#length++
    return true
  }

  get room(): number {
    return this.#capacity - this.#length
  }

  [OPEN](): void {
    this.#length = 0
    this.#open = true
  }

  /** Ends the writing; says how many records there are. */
  [CLOSE](): number {
    this.#open = false
    return this.#length
  }
}
