import type { Batch, Element, BroadcastRing as Face, Infer, Input, SharedRing, Writer } from '../../index.js'
import { checkInteger } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { type Bell, recordsBell, roomBell } from './bell.js'
import * as layout from './layout.js'
import { allocate, attached, cellsOf, type Kind, type Shared } from './memory.js'
import { RingPusher } from './pusher.js'
import { RingReader } from './reader.js'
import { RingSide } from './side.js'
import { Slots } from './slots.js'

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

/** A handle that is collected gives up what it claimed; its seat goes on counting, for another handle to take. */
const collected = new FinalizationRegistry<{ cells: Int32Array; owner: number; seats: number }>((held) => {
  const { cells, owner, seats } = held
  Atomics.compareExchange(cells, layout.PRODUCER_CELL, owner, 0)
  for (let i = 0; i < seats; i++) Atomics.compareExchange(cells, seatAt(i) + OWNER, owner, 0)
})

export class BroadcastRing<T extends Element> implements Face<T> {
  readonly capacity: number
  readonly consumers: number
  readonly #type: T
  readonly #buffer: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #owner: number
  readonly #slots: Slots<T>
  readonly #producer: RingSide
  readonly #pusher: RingPusher<T>
  readonly #room: Bell
  readonly #records: Bell
  /** The seat that this handle reads from. */
  #seat: { at: number; side: RingSide; reader: RingReader<T> } | undefined

  constructor(type: T, capacity: number, consumers: number, buffer?: SharedArrayBuffer) {
    checkInteger('consumers', consumers, 1, MOST_CONSUMERS)
    this.#type = type
    this.capacity = capacity
    this.consumers = consumers
    this.#buffer = buffer instanceof SharedArrayBuffer ? buffer : allocate(KIND, type, capacity, consumers)
    const cells = cellsOf(this.#buffer)
    this.#cells = cells
    this.#owner = native.ringOwner()
    this.#slots = new Slots(type, this.#buffer, KIND.slotsAt(capacity, consumers), capacity)
    this.#records = recordsBell(cells)
    this.#room = roomBell(cells)
    this.#producer = new RingSide({
      ...{ cells, owner: this.#owner, capacity, name: 'producer', wakes: this.#records },
      ...{ ownerCell: layout.PRODUCER_CELL, cursorCell: layout.TAIL_CELL },
      far: (at) => this.#slowest(at),
    })
    this.#pusher = new RingPusher(this.#producer, this.#slots, () => this.isClosed)
    collected.register(this, { cells, owner: this.#owner, seats: consumers })
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
    this.#sit()
    const head = Atomics.load(this.#cells, (this.#seat?.at ?? 0) + HEAD)
    return Math.min((Atomics.load(this.#cells, layout.TAIL_CELL) - head) >>> 0, this.capacity)
  }

  get isClosed(): boolean {
    return Atomics.load(this.#cells, layout.CLOSED_CELL) !== 0
  }

  share(): SharedRing<T> {
    const shared: Shared = { type: this.#type, buffer: this.#buffer, signature: codecOf(this.#type).signature }
    return shared as unknown as SharedRing<T>
  }

  /** Gives up what this handle claimed, for another handle to go on with. */
  release(): void {
    this.#producer.release()
    this.#seat?.side.release()
    this.#seat = undefined
  }

  leave(): void {
    this.#sit()
    Atomics.store(this.#cells, (this.#seat?.at ?? 0) + GONE, 1)
    this.#room.ring()
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

  /** Takes a seat, where this handle has none. */
  #sit(): RingReader<T> {
    if (this.#seat) return this.#seat.reader
    const cells = this.#cells
    for (let i = 0; i < this.consumers; i++) {
      const at = seatAt(i)
      if (Atomics.load(cells, at + GONE) !== 0 || Atomics.load(cells, at + OWNER) !== 0) continue
      const side = new RingSide({
        ...{ cells, owner: this.#owner, capacity: this.capacity, name: 'consumer', wakes: this.#room },
        ...{ ownerCell: at + OWNER, cursorCell: at + HEAD },
        far: () => Atomics.load(cells, layout.TAIL_CELL),
      })
      try {
        side.hold()
      } catch (error) {
        // Somebody was quicker.
        if (error instanceof VeloxError && error.code === 'VELOX_RING_OWNED') continue
        throw error
      }
      this.#seat = { at, side, reader: new RingReader(side, this.#slots) }
      return this.#seat.reader
    }
    throw new VeloxError('VELOX_RING_OWNED', { side: 'consumer', by: `${this.consumers} other handles, or they left` })
  }
}
