import { isMainThread } from 'node:worker_threads'
import type { Element, SharedRing } from '../../index.js'
import { native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { type Bell, recordsBell, roomBell } from './bell.js'
import * as layout from './layout.js'
import { allocate, cellsOf, type Kind, type Shared } from './memory.js'
import { RingSide, type SidePlace } from './side.js'
import { Slots } from './slots.js'

/** A ring's memory as one handle sees it. */
export class RingMemory<T extends Element> {
  readonly type: T
  readonly capacity: number
  readonly buffer: SharedArrayBuffer
  readonly cells: Int32Array
  readonly slots: Slots<T>
  /** Number of the handle. */
  readonly owner = native.ringOwner()
  /** Rung by the producer. */
  readonly records: Bell
  /** Rung by the consumer. */
  readonly room: Bell

  /** Memory of its own, unless `buffer` is given. */
  constructor(kind: Kind, type: T, capacity: number, buffer: SharedArrayBuffer | undefined, consumers = 0) {
    this.type = type
    this.capacity = capacity
    this.buffer = buffer instanceof SharedArrayBuffer ? buffer : allocate(kind, type, capacity, consumers)
    this.cells = cellsOf(this.buffer)
    this.slots = new Slots(type, this.buffer, kind.slotsAt(capacity, consumers), capacity)
    this.records = recordsBell(this.cells)
    this.room = roomBell(this.cells)
  }

  get isClosed(): boolean {
    return Atomics.load(this.cells, layout.CLOSED_CELL) !== 0
  }

  /** How many records wait for whoever has its cursor in that cell. */
  waiting(headCell = layout.HEAD_CELL): number {
    // The consumer's cursor first: it can only have come nearer since.
    const head = Atomics.load(this.cells, headCell)
    return Math.min((Atomics.load(this.cells, layout.TAIL_CELL) - head) >>> 0, this.capacity)
  }

  producer(far: SidePlace['far']): RingSide {
    const { cells, owner, capacity, records } = this
    const [ownerCell, cursorCell] = [layout.PRODUCER_CELL, layout.TAIL_CELL]
    return new RingSide({ cells, owner, capacity, name: 'producer', wakes: records, ownerCell, cursorCell, far })
  }

  consumer(far: SidePlace['far'], ownerCell = layout.CONSUMER_CELL, cursorCell = layout.HEAD_CELL): RingSide {
    const { cells, owner, capacity, room } = this
    return new RingSide({ cells, owner, capacity, name: 'consumer', wakes: room, ownerCell, cursorCell, far })
  }
}

interface Claims {
  readonly cells: Int32Array
  readonly owner: number
  readonly claims: readonly number[]
}

function giveUp({ cells, owner, claims }: Claims): void {
  for (const cell of claims) Atomics.compareExchange(cells, cell, owner, 0)
}

/** Of this thread's handles. */
const held = new Set<Claims>()

/** A handle that is collected gives up what it claimed. */
const collected = new FinalizationRegistry<Claims>((claims) => {
  held.delete(claims)
  giveUp(claims)
})

// So does a worker that ends; one that is terminated runs nothing any more.
if (!isMainThread) process.once('exit', () => held.forEach(giveUp))

/** What a handle of any kind of ring has. */
export abstract class RingHandle<T extends Element> {
  readonly #memory: RingMemory<T>

  /** `claims`: where the handle's number may stand. */
  constructor(memory: RingMemory<T>, claims: readonly number[]) {
    this.#memory = memory
    const { cells, owner } = memory
    const own = { cells, owner, claims }
    held.add(own)
    collected.register(this, own)
  }

  get capacity(): number {
    return this.#memory.capacity
  }

  get isClosed(): boolean {
    return this.#memory.isClosed
  }

  share(): SharedRing<T> {
    const { type, buffer } = this.#memory
    const shared: Shared = { type, buffer, signature: codecOf(type).signature }
    return shared as unknown as SharedRing<T>
  }

  abstract release(): void

  close(): void {
    const { cells, records, room } = this.#memory
    Atomics.store(cells, layout.CLOSED_CELL, 1)
    records.ring()
    room.ring()
  }

  [Symbol.dispose](): void {
    this.close()
    this.release()
  }
}
