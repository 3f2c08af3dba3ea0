import type { Element, Input } from '../../index.js'
import { type Window, writerOf } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'
import { CLOSE, OPEN, refuseIndex } from './batch.js'

/** Free slots in place, for the length of one callback. */
export class RingWriter<T extends Element> {
  readonly #codec: Codec<T>
  /** Nothing can be written while its length is 0. */
  readonly #window: Window
  #pushed = 0

  constructor(view: DataView, codec: Codec<T>, base: number, stride: number, mask: number) {
    this.#codec = codec
    const window = { view, base, stride, mask, from: 0, length: 0 }
    this.#window = window
    for (const column of codec.fields) {
      const value = writerOf(window, column, (i) => refuseIndex(codec.name, i, window.length))
      Object.defineProperty(this, column.name, { value, enumerable: true })
    }
  }

  push(value: Input<T>): boolean {
    const { view, base, stride, mask, from, length } = this.#window
    if (length === 0) refuseIndex(this.#codec.name, 0, 0)
    if (this.#pushed === length) return false
    this.#codec.write(view, base + ((from + this.#pushed) & mask) * stride, value)
    this.#pushed++
    return true
  }

  get room(): number {
    return this.#window.length - this.#pushed
  }

  [OPEN](from: number, length: number): void {
    this.#pushed = 0
    this.#window.from = from
    this.#window.length = length
  }

  [CLOSE](): void {
    this.#window.length = 0
  }
}
