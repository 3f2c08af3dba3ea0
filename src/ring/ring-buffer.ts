import type { Batch, Element, RingBuffer as Face, Infer, Input, SharedRing } from '../../index.js'
import { checkCount, checkList, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { native } from '../native.js'
import { type Codec, codecOf } from '../record/codec.js'
import { CLOSE, OPEN, RingBatch } from './batch.js'
import * as layout from './layout.js'
import { RingSide, type SideName } from './side.js'

const MAX_CAPACITY = 2 ** 30

/** What `share()` gives, at run time. */
interface Shared {
  readonly type: Element
  readonly buffer: SharedArrayBuffer
  readonly signature: string
}

/** What native code needs of a ring. */
export interface RingInternals {
  readonly type: Element
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
}

/** A handle that is collected gives up what it claimed. */
const collected = new FinalizationRegistry<{ cells: Int32Array; owner: number }>(({ cells, owner }) => {
  for (const cell of [layout.PRODUCER_CELL, layout.CONSUMER_CELL]) Atomics.compareExchange(cells, cell, owner, 0)
})

let internalsOf: (ring: RingBuffer<Element>) => RingInternals

export class RingBuffer<T extends Element> implements Face<T> {
  readonly #capacity: number
  readonly #type: T
  readonly #codec: Codec<T>
  readonly #buffer: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #view: DataView
  readonly #stride: number
  readonly #producer: RingSide
  readonly #consumer: RingSide
  #batch: RingBatch<T> | undefined

  static {
    internalsOf = (ring) => ({ type: ring.#type, buffer: ring.#buffer, capacity: ring.capacity })
  }

  constructor(type: T, capacity: number, buffer?: SharedArrayBuffer) {
    this.#type = type
    this.#codec = codecOf(type)
    this.#capacity = capacity
    this.#stride = layout.strideOf(this.#codec.byteLength)
    this.#buffer = buffer instanceof SharedArrayBuffer ? buffer : allocate(capacity, this.#stride)
    this.#cells = new Int32Array(this.#buffer, 0, layout.SLOTS_AT / 4)
    this.#view = new DataView(this.#buffer)
    const owner = native.ringOwner()
    this.#producer = new RingSide(this.#cells, 'producer', owner, capacity)
    this.#consumer = new RingSide(this.#cells, 'consumer', owner, capacity)
    collected.register(this, { cells: this.#cells, owner })
  }

  static attach<T extends Element>(type: T, shared: SharedRing<T>): RingBuffer<T> {
    const { signature } = codecOf(type)
    const { buffer, signature: theirs } = (shared ?? {}) as unknown as Partial<Shared>
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < layout.SLOTS_AT) {
      return refuse('shared', 'what share() of a RingBuffer gave', shared)
    }
    if (signature !== theirs) throw mismatch(`a ring of ${signature}`, `a ring of ${theirs}`)
    const cells = new Int32Array(buffer, 0, layout.SLOTS_AT / 4)
    const cell = (index: number) => Atomics.load(cells, index) >>> 0
    const capacity = cell(layout.CAPACITY_CELL)
    const stride = layout.strideOf(codecOf(type).byteLength)
    const fits = isCapacity(capacity) && buffer.byteLength >= layout.SLOTS_AT + capacity * stride
    const header = [cell(layout.MAGIC_CELL), cell(layout.VERSION_CELL), cell(layout.STRIDE_CELL)].join()
    if (!fits || header !== [layout.MAGIC, layout.VERSION, stride].join()) {
      throw mismatch('the header of a ring of this type', 'other words')
    }
    return new RingBuffer(type, capacity, buffer)
  }

  push(value: Input<T>): boolean {
    this.#openForPush()
    if (this.#producer.room(1) === 0) return false
    this.#write(0, value)
    this.#producer.advance(1)
    return true
  }

  pushMany(values: ArrayLike<Input<T>>, from = 0): number {
    this.#openForPush()
    checkList('values', values)
    checkCount('from', from)
    const wanted = Math.max(0, values.length - from)
    const count = Math.min(wanted, this.#producer.room(wanted))
    for (let i = 0; i < count; i++) this.#write(i, values[from + i] as Input<T>)
    if (count > 0) this.#producer.advance(count)
    return count
  }

  pop(): Infer<T> | undefined {
    this.#consumer.hold()
    if (this.#consumer.waiting(1) === 0) return undefined
    const value = this.#codec.read(this.#view, this.#offsetOf(this.#consumer.at))
    this.#consumer.advance(1)
    return value
  }

  popMany(max: number): Infer<T>[] {
    checkCount('max', max)
    this.#consumer.hold()
    const count = Math.min(max, this.#consumer.waiting(max))
    const values: Infer<T>[] = []
    try {
      for (let i = 0; i < count; i++) values.push(this.#codec.read(this.#view, this.#offsetOf(this.#consumer.at + i)))
    } catch (error) {
      // What stands before the record that can't be read is not lost: the next call meets that one first.
      if (values.length === 0) throw error
    }
    if (values.length > 0) this.#consumer.advance(values.length)
    return values
  }

  drain(read: (batch: Batch<T>) => void, max: number = this.capacity): number {
    if (typeof read !== 'function') refuse('read', 'a function', read)
    checkCount('max', max)
    this.#consumer.hold()
    const count = Math.min(max, this.#consumer.waiting(max))
    if (count === 0) return 0
    this.#batch ??= new RingBatch(this.#view, this.#codec, layout.SLOTS_AT, this.#stride, this.#capacity - 1)
    const batch = this.#batch
    this.#consumer.enter()
    batch[OPEN](this.#consumer.at, count)
    try {
      read(batch as unknown as Batch<T>)
    } finally {
      batch[CLOSE]()
      this.#consumer.leave()
    }
    this.#consumer.advance(count)
    return count
  }

  /** The next records in place, until they are given back; undefined where there are none. For the run's own rings. */
  lend(max: number): Batch<T> | undefined {
    this.#consumer.hold()
    const count = Math.min(max, this.#consumer.waiting(max))
    if (count === 0) return undefined
    this.#batch ??= new RingBatch(this.#view, this.#codec, layout.SLOTS_AT, this.#stride, this.#capacity - 1)
    this.#batch[OPEN](this.#consumer.at, count)
    return this.#batch as unknown as Batch<T>
  }

  /** Ends what was lent: it counts as read. */
  giveBack(): void {
    const count = this.#batch?.length ?? 0
    this.#batch?.[CLOSE]()
    if (count > 0) this.#consumer.advance(count)
  }

  get capacity(): number {
    return this.#capacity
  }

  get length(): number {
    // The consumer's cursor first: it can only have come nearer since.
    const head = Atomics.load(this.#cells, layout.HEAD_CELL)
    return Math.min((Atomics.load(this.#cells, layout.TAIL_CELL) - head) >>> 0, this.capacity)
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  get isFull(): boolean {
    return this.length === this.capacity
  }

  get isClosed(): boolean {
    return Atomics.load(this.#cells, layout.CLOSED_CELL) !== 0
  }

  share(): SharedRing<T> {
    const shared: Shared = { type: this.#type, buffer: this.#buffer, signature: this.#codec.signature }
    return shared as unknown as SharedRing<T>
  }

  release(side?: SideName): void {
    if (side !== undefined && side !== 'producer' && side !== 'consumer') {
      refuse('side', "'producer' or 'consumer'", side)
    }
    if (side !== 'consumer') this.#producer.release()
    if (side !== 'producer') this.#consumer.release()
  }

  close(): void {
    Atomics.store(this.#cells, layout.CLOSED_CELL, 1)
  }

  [Symbol.dispose](): void {
    this.close()
    this.release()
  }

  /** Writes a value `ahead` of the producer's cursor. Its getters are not the ring's own code. */
  #write(ahead: number, value: Input<T>): void {
    this.#producer.enter()
    try {
      this.#codec.write(this.#view, this.#offsetOf(this.#producer.at + ahead), value)
    } finally {
      this.#producer.leave()
    }
  }

  #openForPush(): void {
    this.#producer.hold()
    if (this.isClosed) throw new VeloxError('VELOX_RING_CLOSED', { ring: `the ring of ${this.#codec.name}` })
  }

  #offsetOf(cursor: number): number {
    return layout.SLOTS_AT + (cursor & (this.#capacity - 1)) * this.#stride
  }
}

export function internals(ring: RingBuffer<Element>): RingInternals {
  return internalsOf(ring)
}

function isCapacity(capacity: number): boolean {
  return Number.isInteger(capacity) && capacity >= 2 && capacity <= MAX_CAPACITY && (capacity & (capacity - 1)) === 0
}

function mismatch(expected: string, got: string): Error {
  return new VeloxError('VELOX_RING_MISMATCH', { expected, got })
}

function allocate(capacity: number, stride: number): SharedArrayBuffer {
  if (!isCapacity(capacity)) throw new VeloxError('VELOX_INVALID_CAPACITY', { capacity })
  let buffer: SharedArrayBuffer
  try {
    buffer = new SharedArrayBuffer(layout.SLOTS_AT + capacity * stride)
  } catch (cause) {
    throw new VeloxError('VELOX_INVALID_CAPACITY', { capacity }, { cause })
  }
  const cells = new Int32Array(buffer, 0, layout.SLOTS_AT / 4)
  cells[layout.MAGIC_CELL] = layout.MAGIC
  cells[layout.VERSION_CELL] = layout.VERSION
  cells[layout.CAPACITY_CELL] = capacity
  cells[layout.STRIDE_CELL] = stride
  return buffer
}
