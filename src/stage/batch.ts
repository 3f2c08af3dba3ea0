import type { Element, Infer } from '../../index.js'
import { call, native } from '../native.js'
import { type Column, microsOf, readerOf, type Window } from '../record/accessor.js'
import type { Codec } from '../record/codec.js'
import { CLOSE, OPEN, refuseIndex } from '../ring/batch.js'

const WORD = 8

/** Batches between two times of finding out anew which words a stage reads. */
const FORGET_AFTER = 4_096

/** The memory of a batch, and whose it is on the native side. */
export interface Place {
  readonly host: number
  /** Counted from the source. */
  readonly stage: number
  readonly memory: SharedArrayBuffer
  /** How many records there is room for. */
  readonly most: number
}

/**
 * The records that wait for a stage, in place, for the length of one `poll`.
 *
 * They lie by columns, one 64-bit word of each record behind the other, and only the words that the stage reads are laid
 * out: the first read of a word asks for it, from then on it comes with each batch.
 */
export class StageBatch<T extends Element> {
  readonly #codec: Codec<T>
  readonly #place: Place
  readonly #cells: Uint32Array
  /** One window for each word; nothing is laid out where its length is 0. */
  readonly #windows: readonly Window[]
  /** Those that come with each batch. */
  readonly #asked: Window[] = []
  /** One record whole, as it is read field by field. */
  readonly #row: Uint32Array
  readonly #rowView: DataView
  #length = 0
  /** Until they are found out anew. */
  #batchesLeft = FORGET_AFTER

  constructor(codec: Codec<T>, place: Place) {
    this.#codec = codec
    this.#place = place
    this.#cells = new Uint32Array(place.memory)
    const words = Math.ceil(codec.byteLength / WORD)
    this.#row = new Uint32Array(2 * words)
    this.#rowView = new DataView(this.#row.buffer)
    const view = new DataView(place.memory)
    this.#windows = Array.from({ length: words }, (_, word) => {
      return { view, base: word * place.most * WORD, stride: WORD, mask: -1, from: 0, length: 0 }
    })
    for (const column of codec.fields) {
      Object.defineProperty(this, column.name, { value: this.#reader(column), enumerable: true })
    }
  }

  #reader(column: Column): (i: number) => unknown {
    const { offset, spec, scalar } = column
    // A text, bytes or a list spread over several words.
    if (['text', 'bytes', 'array', 'records'].includes(spec.kind)) return (i) => scalar.read(this.#whole(i), offset)
    const word = Math.floor(offset / WORD)
    const window = this.#windows[word] as Window
    const inWord = { ...column, offset: offset % WORD }
    const miss = (i: number) => this.#miss(i, word)
    const value = readerOf(window, inWord, miss)
    return spec.kind === 'nanos' ? Object.assign(value, { micros: microsOf(window, inWord, miss) }) : value
  }

  get length(): number {
    return this.#length
  }

  at(i: number): Infer<T> {
    return this.#codec.read(this.#whole(i), 0)
  }

  toArray(): Infer<T>[] {
    return Array.from({ length: this.#length }, (_, i) => this.at(i))
  }

  [OPEN](length: number): void {
    this.#length = length
    for (let k = 0; k < this.#asked.length; k++) (this.#asked[k] as Window).length = length
  }

  [CLOSE](): void {
    this.#length = 0
    for (let k = 0; k < this.#asked.length; k++) (this.#asked[k] as Window).length = 0
    if (--this.#batchesLeft === 0) this.#forget()
  }

  /** Apart from what every batch pays. */
  #forget(): void {
    this.#batchesLeft = FORGET_AFTER
    if (this.#asked.length === 0) return
    native.hostForget(this.#place.host, this.#place.stage)
    this.#asked.length = 0
  }

  #check(i: number): void {
    if (typeof i !== 'number' || i >>> 0 !== i || i >= this.#length) refuseIndex(this.#codec.name, i, this.#length)
  }

  /** A word was read that is not laid out, or with an index that is none. */
  #miss(i: number, word: number): void {
    this.#check(i)
    const { host, stage } = this.#place
    call(() => native.hostLayOut(host, stage, word))
    this.#show(word)
  }

  #show(word: number): void {
    const window = this.#windows[word] as Window
    if (window.length > 0) return
    window.length = this.#length
    this.#asked.push(window)
  }

  /** Puts one record together. */
  #whole(i: number): DataView {
    this.#check(i)
    const words = this.#windows.length
    if (this.#asked.length < words) {
      const { host, stage } = this.#place
      call(() => native.hostLayOut(host, stage, -1))
      for (let word = 0; word < words; word++) this.#show(word)
    }
    const row = this.#row
    const cells = this.#cells
    for (let word = 0, at = 2 * i; word < words; word++, at += 2 * this.#place.most) {
      row[2 * word] = cells[at] as number
      row[2 * word + 1] = cells[at + 1] as number
    }
    return this.#rowView
  }
}
