import type { Batch, Element, MpscRing as Face, Infer, Input, SharedRing } from '../../index.js'
import { checkCount, checkList } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import * as layout from './layout.js'
import { attached, type Kind } from './memory.js'
import { refuseClosed } from './pusher.js'
import { RingReader } from './reader.js'
import { RingHandle, RingMemory } from './ring-handle.js'
import { type RingSide, refuseCorrupt, refuseCursors } from './side.js'
import type { Slots } from './slots.js'

/** A stamp for each slot, position + 1 once it is written, lies between the header and the slots. */
const STAMPS_CELL = layout.SLOTS_AT / 4

const KIND: Kind = {
  name: 'MpscRing',
  magic: layout.MPSC_MAGIC,
  slotsAt: (capacity) => layout.SLOTS_AT + 4 * capacity,
}

export class MpscRing<T extends Element> extends RingHandle<T> implements Face<T> {
  readonly #memory: RingMemory<T>
  readonly #cells: Int32Array
  readonly #slots: Slots<T>
  readonly #consumer: RingSide
  readonly #reader: RingReader<T>
  /** Records are written here first: one that is refused must not hold a slot. */
  #scratch: Uint8Array
  #scratchView: DataView
  readonly #bytes: Uint8Array
  /** A value's getters run: not the ring's own code. */
  #busy = false

  constructor(type: T, capacity: number, buffer?: SharedArrayBuffer) {
    const memory = new RingMemory(KIND, type, capacity, buffer)
    super(memory, [layout.CONSUMER_CELL])
    this.#memory = memory
    this.#cells = memory.cells
    this.#slots = memory.slots
    try {
      this.#bytes = new Uint8Array(memory.buffer)
    } catch (cause) {
      throw new VeloxError('VELOX_INVALID_CAPACITY', { capacity }, { cause })
    }
    this.#scratch = new Uint8Array(this.#slots.stride)
    this.#scratchView = new DataView(this.#scratch.buffer)
    this.#consumer = memory.consumer((at, known) => this.#written(at, known))
    this.#reader = new RingReader(this.#consumer, this.#slots)
    // As if each slot had been written one round earlier.
    if (buffer === undefined) for (let i = 0; i < capacity; i++) this.#cells[STAMPS_CELL + i] = i + 1 - capacity
  }

  static attach<T extends Element>(type: T, shared: SharedRing<T>): MpscRing<T> {
    const { buffer, capacity } = attached(KIND, type, shared)
    return new MpscRing(type, capacity, buffer)
  }

  push(value: Input<T>): boolean {
    if (this.isClosed) refuseClosed(this.#slots.codec.name)
    this.#encode(1, () => value)
    return this.#pushEncoded(1) === 1
  }

  pushMany(values: ArrayLike<Input<T>>, from = 0): number {
    if (this.isClosed) refuseClosed(this.#slots.codec.name)
    checkList('values', values)
    checkCount('from', from)
    const wanted = Math.min(Math.max(0, values.length - from), this.capacity)
    this.#encode(wanted, (i) => values[from + i] as Input<T>)
    return wanted === 0 ? 0 : this.#pushEncoded(wanted)
  }

  pop(): Infer<T> | undefined {
    return this.#reader.pop()
  }

  popMany(max: number): Infer<T>[] {
    return this.#reader.popMany(max)
  }

  drain(read: (batch: Batch<T>) => void, max: number = this.capacity): number {
    return this.#reader.drain(read, max)
  }

  get length(): number {
    return this.#memory.waiting()
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  release(): void {
    this.#consumer.release()
  }

  #encode(count: number, valueAt: (i: number) => Input<T>): void {
    if (this.#busy)
      throw new VeloxError('VELOX_RING_OWNED', { side: 'producer', by: 'a call of this handle that is under way' })
    const { codec, stride } = this.#slots
    if (this.#scratch.length < count * stride) {
      this.#scratch = new Uint8Array(count * stride)
      this.#scratchView = new DataView(this.#scratch.buffer)
    }
    this.#busy = true
    try {
      for (let i = 0; i < count; i++) codec.write(this.#scratchView, i * stride, valueAt(i))
    } finally {
      this.#busy = false
    }
  }

  /** Takes as many positions as there is room for, and fills them. */
  #pushEncoded(wanted: number): number {
    const { stride } = this.#slots
    const [at, count] = this.#claim(wanted)
    for (let i = 0; i < count; i++) {
      const position = (at + i) | 0
      this.#bytes.set(this.#scratch.subarray(i * stride, (i + 1) * stride), this.#slots.offsetOf(position))
      Atomics.store(this.#cells, this.#stampOf(position), (position + 1) | 0)
    }
    if (count > 0) this.#memory.records.ring()
    return count
  }

  #claim(wanted: number): [at: number, count: number] {
    const cells = this.#cells
    for (;;) {
      // The consumer's cursor first: the other can only have gone further from it since.
      const head = Atomics.load(cells, layout.HEAD_CELL)
      const tail = Atomics.load(cells, layout.TAIL_CELL)
      const used = (tail - head) >>> 0
      const count = Math.min(wanted, Math.max(0, this.capacity - used))
      if (count === 0) {
        // Where the consumer has moved on meanwhile, `used` says nothing.
        if (Atomics.load(cells, layout.HEAD_CELL) !== head) continue
        if (used > this.capacity) refuseCursors(this.capacity, used)
        return [tail, 0]
      }
      if (Atomics.compareExchange(cells, layout.TAIL_CELL, tail, (tail + count) | 0) === tail) return [tail, count]
    }
  }

  /** How far the records are written without a gap, from what was known on. */
  #written(at: number, known: number): number {
    let far = known
    while ((far - at) >>> 0 < this.capacity && Atomics.load(this.#cells, this.#stampOf(far)) === ((far + 1) | 0)) {
      far = (far + 1) | 0
    }
    if (far === at) this.#checkFree(at)
    return far
  }

  /** What the consumer waits for can be on its way only where the cursors and the slot's stamp say so. */
  #checkFree(at: number): void {
    const used = (Atomics.load(this.#cells, layout.TAIL_CELL) - at) >>> 0
    if (used > this.capacity) refuseCursors(this.capacity, used)
    const stamp = Atomics.load(this.#cells, this.#stampOf(at))
    // Of the round before, or written since.
    const free = (at + 1 - this.capacity) | 0
    if (stamp !== free && stamp !== ((at + 1) | 0)) refuseCorrupt(`the stamp ${free} of a free slot`, stamp)
  }

  #stampOf(position: number): number {
    return STAMPS_CELL + (position & this.#slots.mask)
  }
}
