import type { Element, Input } from '../../index.js'
import { refuse } from '../errors/check.js'
import { appenderOf, type Window } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'
import { CLOSE, OPEN, refuseIndex } from '../ring/batch.js'

/** Records written in place, or the indices of those that pass as they are, for the length of one `poll`. */
export class StageWriter<T extends Element> {
  readonly #codec: Codec<T>
  readonly #capacity: number
  /** The records that were written. */
  readonly #window: Window
  /** The memory of the records holds the indices instead where those are what is written. */
  readonly #indices: Uint32Array
  readonly #mayKeep: boolean
  /** How many records can be written: none but within `poll`. */
  #room = 0
  #wrote = 0
  /** How many records were read, and of how many the indices are written. */
  #read = 0
  #kept = 0
  /** The least index that may come next: there is room for one more wherever it is in the batch. */
  #next = 0

  constructor(memory: SharedArrayBuffer, codec: Codec<T>, stride: number, capacity: number, mayKeep: boolean) {
    this.#codec = codec
    this.#capacity = capacity
    this.#mayKeep = mayKeep
    this.#indices = new Uint32Array(memory)
    this.#window = { view: new DataView(memory), base: 0, stride, mask: -1, from: 0, length: 0 }
    for (const column of codec.fields) {
      const value = appenderOf(this.#window, column, (i) => this.#clear(i))
      Object.defineProperty(this, column.name, { value, enumerable: true })
    }
  }

  #refuse(i: number): never {
    return refuseIndex(this.#codec.name, i, this.#room)
  }

  /** What isn't written of a record is 0, and not what the batch before left there. */
  #clear(i: number): void {
    if (i !== this.#window.length || i >= this.#room) this.#refuseWrite(i)
    const words = this.#window.stride / 4
    for (let k = i * words; k < (i + 1) * words; k++) this.#indices[k] = 0
  }

  #refuseWrite(i: number): never {
    if (this.#room === 0 || typeof i !== 'number' || i >>> 0 !== i || i >= this.#room) this.#refuse(i)
    return refuse('i', `record ${this.#window.length} first: records are written in order`, i)
  }

  push(value: Input<T>): boolean {
    const { view, stride, length } = this.#window
    if (this.#room === 0) this.#refuse(0)
    if (length === this.#room) return false
    this.#codec.write(view, length * stride, value)
    this.#window.length = length + 1
    return true
  }

  get room(): number {
    return this.#capacity - this.#window.length
  }

  keep(i: number, passes?: boolean): void {
    if (typeof i !== 'number' || i >>> 0 !== i || i < this.#next || i >= this.#read) this.#refuseKeep(i)
    this.#next = i + 1
    // Written in any case and counted only where it passes: a branch that can't be foretold would cost more than all this,
    // and a look at its type would make one.
    this.#indices[this.#kept] = i
    this.#kept += Number(passes !== false)
  }

  #refuseKeep(i: number): never {
    if (this.#room === 0) this.#refuse(0)
    if (!this.#mayKeep) refuse('keep', 'records written to the output, as it is of another type', i)
    return refuse('i', 'an index of the batch, behind the last one', i)
  }

  /** Opens for a batch of `read` records. */
  [OPEN](read: number): void {
    this.#kept = 0
    this.#next = 0
    this.#read = this.#mayKeep ? read : 0
    this.#room = this.#capacity
  }

  [CLOSE](): void {
    this.#wrote = this.#window.length
    this.#window.length = 0
    this.#room = 0
    this.#read = 0
  }

  /** How many records were written, once it is closed. */
  get wrote(): number {
    return this.#wrote
  }

  /** Whether `keep` was called, be it that nothing passes. */
  get keeps(): boolean {
    return this.#next > 0
  }

  /** Of how many the indices were. */
  get kept(): number {
    return this.#kept
  }

  /** Takes indices all at once. */
  keepAll(indices: Uint32Array): void {
    this.#indices.set(indices)
    this.#kept = indices.length
  }
}
