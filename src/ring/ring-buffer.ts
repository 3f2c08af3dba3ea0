import type { Batch, Element, RingBuffer as Face, Infer, Input, SharedRing, Writer } from '../../index.js'
import { refuse } from '../errors/check.js'
import * as layout from './layout.js'
import { attached, type Kind } from './memory.js'
import { RingPusher } from './pusher.js'
import { RingReader } from './reader.js'
import { RingHandle, RingMemory } from './ring-handle.js'
import type { RingSide, SideName } from './side.js'
import { batches, drainWait } from './waiting.js'

const KIND: Kind = { name: 'RingBuffer', magic: layout.MAGIC, slotsAt: () => layout.SLOTS_AT }

/** What native code needs of a ring. */
export interface RingInternals {
  readonly type: Element
  readonly buffer: SharedArrayBuffer
  readonly capacity: number
}

let internalsOf: (ring: RingBuffer<Element>) => RingInternals

export class RingBuffer<T extends Element> extends RingHandle<T> implements Face<T> {
  readonly #memory: RingMemory<T>
  readonly #producer: RingSide
  readonly #consumer: RingSide
  readonly #pusher: RingPusher<T>
  readonly #reader: RingReader<T>

  static {
    internalsOf = (ring) => ring.#memory
  }

  constructor(type: T, capacity: number, buffer?: SharedArrayBuffer) {
    const memory = new RingMemory(KIND, type, capacity, buffer)
    super(memory, [layout.PRODUCER_CELL, layout.CONSUMER_CELL])
    this.#memory = memory
    const { cells } = memory
    this.#producer = memory.producer(() => Atomics.load(cells, layout.HEAD_CELL))
    this.#consumer = memory.consumer(() => Atomics.load(cells, layout.TAIL_CELL))
    this.#pusher = new RingPusher(this.#producer, memory)
    this.#reader = new RingReader(this.#consumer, memory.slots)
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

  drain(read: (batch: Batch<T>) => void, max: number = this.capacity): number {
    return this.#reader.drain(read, max)
  }

  drainWait(read: (batch: Batch<T>) => void, o: { timeoutMicros: number; max?: number }): number {
    return drainWait(this, this.#memory.records, read, o)
  }

  batches(o: { signal?: AbortSignal | undefined; max?: number } = {}): AsyncIterable<Batch<T>> {
    return batches(this, this.#memory.records, o)
  }

  /** The next records in place, until they are given back; undefined where there are none. For the run's own rings. */
  lend(max: number): Batch<T> | undefined {
    return this.#reader.lend(max)
  }

  /** Ends what was lent: it counts as read. */
  giveBack(): void {
    this.#reader.giveBack()
  }

  get length(): number {
    return this.#memory.waiting()
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  get isFull(): boolean {
    return this.length === this.capacity
  }

  release(side?: SideName): void {
    if (side !== undefined && side !== 'producer' && side !== 'consumer') {
      refuse('side', "'producer' or 'consumer'", side)
    }
    if (side !== 'consumer') this.#producer.release()
    if (side !== 'producer') this.#consumer.release()
  }
}

export function internals(ring: RingBuffer<Element>): RingInternals {
  return internalsOf(ring)
}
