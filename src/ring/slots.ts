import type { Element } from '../../index.js'
import { type Codec, codecOf } from '../record/codec.js'
import { strideOf } from './layout.js'

/** The slots of a ring, and what lies in one. */
export class Slots<T extends Element> {
  readonly codec: Codec<T>
  readonly view: DataView
  readonly base: number
  readonly stride: number
  readonly mask: number

  constructor(type: T, buffer: SharedArrayBuffer, base: number, capacity: number) {
    this.codec = codecOf(type)
    this.view = new DataView(buffer)
    this.base = base
    this.stride = strideOf(this.codec.byteLength)
    this.mask = capacity - 1
  }

  /** Where the record of a position lies. */
  offsetOf(position: number): number {
    return this.base + (position & this.mask) * this.stride
  }
}
