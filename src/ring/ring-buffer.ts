import type { Batch, Element, RingBuffer as Face, Infer, Input, SharedRing, Writer } from '../../index.js'
import { refuse } from '../errors/check.js'
import { native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { type Bell, recordsBell, roomBell } from './bell.js'
import * as layout from './layout.js'
import { allocate, attached, cellsOf, type Kind, type Shared } from './memory.js'
import { RingPusher } from './pusher.js'
import { RingReader } from './reader.js'
import { RingSide, type SideName } from './side.js'
import { Slots } from './slots.js'
import { batches, drainWait } from './waiting.js'

const KIND: Kind = { name: 'RingBuffer', magic: layout.MAGIC, slotsAt: () => layout.SLOTS_AT }

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
  readonly #buffer: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #producer: RingSide
  readonly #consumer: RingSide
  readonly #pusher: RingPusher<T>
  readonly #reader: RingReader<T>
  readonly #records: Bell
  readonly #room: Bell

  static {
    internalsOf = (ring) => ({ type: ring.#type, buffer: ring.#buffer, capacity: ring.capacity })
  }

  constructor(type: T, capacity: number, buffer?: SharedArrayBuffer) {
    this.#type = type
    this.#capacity = capacity
    this.#buffer = buffer instanceof SharedArrayBuffer ? buffer : allocate(KIND, type, capacity)
    const cells = cellsOf(this.#buffer)
    this.#cells = cells
    this.#records = recordsBell(cells)
    this.#room = roomBell(cells)
    const owner = native.ringOwner()
    this.#producer = new RingSide({
      ...{ cells, owner, capacity, name: 'producer', wakes: this.#records },
      ...{ ownerCell: layout.PRODUCER_CELL, cursorCell: layout.TAIL_CELL },
      far: () => Atomics.load(cells, layout.HEAD_CELL),
    })
    this.#consumer = new RingSide({
      ...{ cells, owner, capacity, name: 'consumer', wakes: this.#room },
      ...{ ownerCell: layout.CONSUMER_CELL, cursorCell: layout.HEAD_CELL },
      far: () => Atomics.load(cells, layout.TAIL_CELL),
    })
    const slots = new Slots(type, this.#buffer, layout.SLOTS_AT, capacity)
    this.#pusher = new RingPusher(this.#producer, slots, () => this.isClosed)
    this.#reader = new RingReader(this.#consumer, slots)
    collected.register(this, { cells, owner })
  }

  static attach<T extends Element>(type: T, shared: SharedRing<T>): RingBuffer<T> {
    const { buffer, capacity } = attached(KIND, type, shared)
    return new RingBuffer(type, capacity, buffer)
  }

  push(value: Input<T>): boolean {
    return this.#pusher.push(value)
  }

  pushMany(values: ArrayLike<Input<T>>, from = 0): number {
    return this.#pusher.pushMany(values, from)
  }

  fill(max: number, write: (w: Writer<T>) => number): number {
    return this.#pusher.fill(max, write)
  }

  pop(): Infer<T> | undefined {
    return this.#reader.pop()
  }

  popMany(max: number): Infer<T>[] {
    return this.#reader.popMany(max)
  }

  drain(read: (batch: Batch<T>) => void, max: number = this.#capacity): number {
    return this.#reader.drain(read, max)
  }

  drainWait(read: (batch: Batch<T>) => void, o: { timeoutMicros: number; max?: number }): number {
    return drainWait(this, this.#records, read, o)
  }

  batches(o: { signal?: AbortSignal | undefined; max?: number } = {}): AsyncIterable<Batch<T>> {
    return batches(this, this.#records, o)
  }

  /** The next records in place, until they are given back; undefined where there are none. For the run's own rings. */
  lend(max: number): Batch<T> | undefined {
    return this.#reader.lend(max)
  }

  /** Ends what was lent: it counts as read. */
  giveBack(): void {
    this.#reader.giveBack()
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
    const shared: Shared = { type: this.#type, buffer: this.#buffer, signature: codecOf(this.#type).signature }
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
    this.#records.ring()
    this.#room.ring()
  }

  [Symbol.dispose](): void {
    this.close()
    this.release()
  }
}

export function internals(ring: RingBuffer<Element>): RingInternals {
  return internalsOf(ring)
}
