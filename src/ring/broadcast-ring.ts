import type { Batch, Element, BroadcastRing as Face, Infer, Input, SharedRing, Writer } from '../../index.js'
import { checkInteger, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import * as layout from './layout.js'
import { attached, cellsOf, type Kind } from './memory.js'
import { RingPusher } from './pusher.js'
import { RingReader } from './reader.js'
import { RingHandle, RingMemory } from './ring-handle.js'
import type { RingSide } from './side.js'

const MOST_CONSUMERS = 64
/** A consumer's seat has a line of its own: who sits there, how far it is, whether nobody waits for it any more. */
const SEAT_CELLS = 16
const OWNER = 0
const HEAD = 1
const GONE = 2

const seatAt = (i: number): number => layout.SLOTS_AT / 4 + i * SEAT_CELLS

const KIND: Kind = {
  name: 'BroadcastRing',
  magic: layout.BROADCAST_MAGIC,
  slotsAt: (_, consumers) => 4 * seatAt(consumers),
}

export class BroadcastRing<T extends Element> extends RingHandle<T> implements Face<T> {
  readonly consumers: number
  readonly #memory: RingMemory<T>
  readonly #cells: Int32Array
  readonly #producer: RingSide
  readonly #pusher: RingPusher<T>
  /** The seat that this handle reads from. */
  #seat: { at: number; side: RingSide; reader: RingReader<T> } | undefined
  #hasLeft = false

  constructor(type: T, capacity: number, consumers: number, buffer?: SharedArrayBuffer) {
    checkInteger('consumers', consumers, 1, MOST_CONSUMERS)
    const memory = new RingMemory(KIND, type, capacity, buffer, consumers)
    // A seat goes on counting, for another handle to take.
    super(memory, [layout.PRODUCER_CELL, ...Array.from({ length: consumers }, (_, i) => seatAt(i) + OWNER)])
    this.consumers = consumers
    this.#memory = memory
    this.#cells = memory.cells
    this.#producer = memory.producer((at) => this.#slowest(at))
    this.#pusher = new RingPusher(this.#producer, memory)
  }

  static attach<T extends Element>(type: T, shared: SharedRing<T>): BroadcastRing<T> {
    const { buffer, capacity } = attached(KIND, type, shared)
    return new BroadcastRing(type, capacity, Atomics.load(cellsOf(buffer), layout.CONSUMERS_CELL), buffer)
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
    return this.#sit().pop()
  }

  popMany(max: number): Infer<T>[] {
    return this.#sit().popMany(max)
  }

  drain(read: (batch: Batch<T>) => void, max: number = this.capacity): number {
    return this.#sit().drain(read, max)
  }

  get length(): number {
    if (this.#hasLeft) return 0
    this.#sit()
    return this.#memory.waiting((this.#seat?.at ?? 0) + HEAD)
  }

  /** Gives up what this handle claimed, for another handle to go on with. */
  release(): void {
    this.#producer.release()
    this.#seat?.side.release()
    this.#seat = undefined
  }

  leave(): void {
    if (this.#hasLeft) return
    this.#sit()
    // Refused while a batch of it is looked at: what it shows could be written over.
    this.#seat?.side.hold()
    Atomics.store(this.#cells, (this.#seat?.at ?? 0) + GONE, 1)
    this.#hasLeft = true
    this.#seat = undefined
    this.#memory.room.ring()
  }

  /** The position of the consumer that is furthest behind. */
  #slowest(at: number): number {
    let behind = 0
    for (let i = 0; i < this.consumers; i++) {
      const seat = seatAt(i)
      if (Atomics.load(this.#cells, seat + GONE) !== 0) continue
      behind = Math.max(behind, (at - Atomics.load(this.#cells, seat + HEAD)) >>> 0)
    }
    return (at - behind) | 0
  }

  #seatsLeft(): number {
    const seats = Array.from({ length: this.consumers }, (_, i) => seatAt(i))
    return seats.filter((seat) => Atomics.load(this.#cells, seat + GONE) === 0).length
  }

  /** Takes a seat, where this handle has none. */
  #sit(): RingReader<T> {
    if (this.#seat) return this.#seat.reader
    if (this.#hasLeft) refuse('the ring', 'a handle that has a seat', words('one that has left'))
    const cells = this.#cells
    for (let i = 0; i < this.consumers; i++) {
      const at = seatAt(i)
      if (Atomics.load(cells, at + GONE) !== 0 || Atomics.load(cells, at + OWNER) !== 0) continue
      const side = this.#memory.consumer(() => Atomics.load(cells, layout.TAIL_CELL), at + OWNER, at + HEAD)
      try {
        side.hold()
      } catch (error) {
        // Somebody was quicker.
        if (error instanceof VeloxError && error.code === 'VELOX_RING_OWNED') continue
        throw error
      }
      this.#seat = { at, side, reader: new RingReader(side, this.#memory.slots) }
      return this.#seat.reader
    }
    throw new VeloxError('VELOX_RING_OWNED', {
      side: 'consumer',
      by: `another handle in each of its ${this.#seatsLeft()} seats`,
    })
  }
}
