import type { Element, Input } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { type Window, writerOf } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'

/** Names that no field of a record can have. */
export const OPEN: unique symbol = Symbol('open')
export const CLOSE: unique symbol = Symbol('close')

/** Records written in place, for the length of one `poll`. */
export class StageWriter<T extends Element> {
  readonly #codec: Codec<T>
  readonly #capacity: number
  /** Nothing can be written while its length is 0. */
  readonly #window: Window
  #length = 0

  constructor(view: DataView, codec: Codec<T>, stride: number, capacity: number) {
    this.#codec = codec
    this.#capacity = capacity
    this.#window = { view, base: 0, stride, mask: -1, from: 0, length: 0 }
    for (const column of codec.fields) {
      const write = writerOf(this.#window, column, (i) => this.#refuse(i))
      const value = (i: number, value: never) => {
        write(i, value)
        if (i >= this.#length) this.#length = i + 1
      }
      Object.defineProperty(this, column.name, { value, enumerable: true })
    }
  }

  #refuse(i: number): never {
    if (this.#window.length === 0) throw new VeloxError('VELOX_STALE_BATCH', { ring: this.#codec.name })
    checkInteger('i', i, 0, this.#capacity - 1)
    throw new RangeError('unreachable: the index is one')
  }

  push(value: Input<T>): boolean {
    const { view, stride, length } = this.#window
    if (length === 0) this.#refuse(0)
    if (this.#length === this.#capacity) return false
    this.#codec.write(view, this.#length * stride, value)
    this.#length++
    return true
  }

  get room(): number {
    return this.#capacity - this.#length
  }

  [OPEN](): void {
    this.#length = 0
    this.#window.length = this.#capacity
  }

  /** Ends the writing; says how many records there are. */
  [CLOSE](): number {
    this.#window.length = 0
    return this.#length
  }
}
