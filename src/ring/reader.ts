import type { Batch, Element, Infer } from '../../index.js'
import { checkCount, refuse } from '../errors/check.js'
import { apart } from './apart.js'
import { CLOSE, OPEN, RingBatch } from './batch.js'
import type { RingSide } from './side.js'
import type { Slots } from './slots.js'

/** The reading calls of a ring, over whatever side is a consumer's. */
export class RingReader<T extends Element> {
  readonly #side: RingSide
  readonly #slots: Slots<T>
  #batch: RingBatch<T> | undefined

  constructor(side: RingSide, slots: Slots<T>) {
    this.#side = side
    this.#slots = slots
  }

  pop(): Infer<T> | undefined {
    const side = this.#side
    side.hold()
    if (side.waiting(1) === 0) return undefined
    const value = this.#slots.codec.read(this.#slots.view, this.#slots.offsetOf(side.at))
    side.advance(1)
    return value
  }

  popMany(max: number): Infer<T>[] {
    checkCount('max', max)
    const side = this.#side
    const { codec, view } = this.#slots
    side.hold()
    const count = Math.min(max, side.waiting(max))
    const values: Infer<T>[] = []
    try {
      for (let i = 0; i < count; i++) values.push(codec.read(view, this.#slots.offsetOf(side.at + i)))
    } catch (error) {
      // What stands before the record that can't be read is not lost: the next call meets that one first.
      if (values.length === 0) throw error
    }
    if (values.length > 0) side.advance(values.length)
    return values
  }

  drain(read: (batch: Batch<T>) => void, max: number): number {
    if (typeof read !== 'function') refuse('read', 'a function', read)
    checkCount('max', max)
    const side = this.#side
    side.hold()
    const count = Math.min(max, side.waiting(max))
    if (count === 0) return 0
    const batch = this.#open(count)
    side.enter()
    try {
      apart(read, batch as unknown as Batch<T>)
    } finally {
      batch[CLOSE]()
      side.leave()
    }
    side.advance(count)
    return count
  }

  /** The next records in place; undefined where there are none. Until they are given back nothing else can be read. */
  lend(max: number): Batch<T> | undefined {
    this.#side.hold()
    const count = Math.min(max, this.#side.waiting(max))
    if (count === 0) return undefined
    const batch = this.#open(count)
    this.#side.enter()
    return batch as unknown as Batch<T>
  }

  /** Ends what was lent: it counts as read. */
  giveBack(): void {
    const count = this.#batch?.length ?? 0
    if (count === 0) return
    this.#batch?.[CLOSE]()
    this.#side.leave()
    this.#side.advance(count)
  }

  #open(count: number): RingBatch<T> {
    const { view, codec, base, stride, mask } = this.#slots
    this.#batch ??= new RingBatch(view, codec, base, stride, mask)
    this.#batch[OPEN](this.#side.at, count)
    return this.#batch
  }
}
