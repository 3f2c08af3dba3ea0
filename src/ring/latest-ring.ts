import type { Element, LatestRing as Face, Infer, Input, SharedRing } from '../../index.js'
import * as layout from './layout.js'
import { attached, type Kind } from './memory.js'
import { refuseClosed } from './pusher.js'
import { RingHandle, RingMemory } from './ring-handle.js'
import { type RingSide, refuseCorrupt } from './side.js'
import type { Slots } from './slots.js'

/** A stamp for each slot lies between the header and the slots: 2 × position while it is written, 2 × position + 1 after. */
const STAMPS_CELL = layout.SLOTS_AT / 4

const KIND: Kind = {
  name: 'LatestRing',
  magic: layout.LATEST_MAGIC,
  slotsAt: (capacity) => layout.SLOTS_AT + 4 * capacity,
}

const written = (position: number): number => (2 * position + 1) | 0

export class LatestRing<T extends Element> extends RingHandle<T> implements Face<T> {
  readonly #cells: Int32Array
  readonly #slots: Slots<T>
  readonly #producer: RingSide
  /** One record: JavaScript has no fence, so each of its words passes by an atomic. */
  readonly #words: Int32Array
  readonly #wordsView: DataView
  /** The next position that this handle reads. */
  #at = 0
  #missed = 0

  constructor(type: T, capacity: number, buffer?: SharedArrayBuffer) {
    const memory = new RingMemory(KIND, type, capacity, buffer)
    super(memory, [layout.PRODUCER_CELL])
    const { cells, slots } = memory
    this.#cells = cells
    this.#slots = slots
    this.#words = new Int32Array(slots.stride / 4)
    this.#wordsView = new DataView(this.#words.buffer)
    // There is always room.
    this.#producer = memory.producer((at) => at)
    // As if each slot had been written one round earlier.
    if (buffer === undefined) for (let i = 0; i < capacity; i++) cells[STAMPS_CELL + i] = written(i - capacity)
    // The mark first: what is pushed between the two looks is then missed, and not a record before the first.
    else if (Atomics.load(cells, layout.LAPPED_CELL) !== 0)
      this.#at = (Atomics.load(cells, layout.TAIL_CELL) - capacity) | 0
  }

  static attach<T extends Element>(type: T, shared: SharedRing<T>): LatestRing<T> {
    const { buffer, capacity } = attached(KIND, type, shared)
    return new LatestRing(type, capacity, buffer)
  }

  push(value: Input<T>): void {
    const side = this.#producer
    side.hold()
    if (this.isClosed) refuseClosed(this.#slots.codec.name)
    side.enter()
    try {
      this.#slots.codec.write(this.#wordsView, 0, value)
    } finally {
      side.leave()
    }
    const cells = this.#cells
    const stamp = STAMPS_CELL + (side.at & this.#slots.mask)
    const first = this.#slots.offsetOf(side.at) / 4
    Atomics.store(cells, stamp, (written(side.at) - 1) | 0)
    for (let i = 0; i < this.#words.length; i++) Atomics.store(cells, first + i, this.#words[i] as number)
    Atomics.store(cells, stamp, written(side.at))
    if ((side.at & this.#slots.mask) === this.#slots.mask) Atomics.store(cells, layout.LAPPED_CELL, 1)
    side.advance(1)
  }

  pop(): Infer<T> | undefined {
    for (;;) {
      const state = this.#state()
      // Stamps are the same again after 2^31 records, which the cursor tells apart.
      if (state === 0 && this.#ahead() <= this.capacity && this.#copy()) {
        const value = this.#slots.codec.read(this.#wordsView, 0)
        this.#at = (this.#at + 1) | 0
        return value
      }
      const ahead = this.#ahead()
      if (state < 0) {
        if (ahead <= 0) return undefined
        // It came between the two looks.
        if (ahead <= this.capacity && this.#state() >= 0) continue
      }
      if (ahead <= 0 || (state < 0 && ahead <= this.capacity)) refuseStamps()
      // Else the oldest is being written over, by the record that the cursor will count next.
      const steps = Math.max(1, ahead - this.capacity)
      this.#at = (this.#at + steps) | 0
      this.#missed += steps
    }
  }

  get missed(): number {
    return this.#missed
  }

  release(): void {
    this.#producer.release()
  }

  /** How far the slot's stamp is from that of the next record: negative where that is yet to come, or 2^30 pushes have passed. */
  #state(): number {
    return (Atomics.load(this.#cells, STAMPS_CELL + (this.#at & this.#slots.mask)) - written(this.#at)) | 0
  }

  /** Copies the next record; says whether it was not written over meanwhile. */
  #copy(): boolean {
    const first = this.#slots.offsetOf(this.#at) / 4
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = Atomics.load(this.#cells, first + i)
    return this.#state() === 0
  }

  /** How many records the cursor is ahead of this reader; -1 where it does not count yet what was read last. */
  #ahead(): number {
    const tail = Atomics.load(this.#cells, layout.TAIL_CELL)
    return ((tail + 1 - this.#at) >>> 0) - 1
  }
}

/** A stamp that no producer wrote would be followed for ever. */
function refuseStamps(): never {
  refuseCorrupt('stamps of records up to its cursor', 'others')
}
