import { VeloxError } from '../errors/velox-error.js'
import type { Bell } from './bell.js'
import { NATIVE_OWNERS } from './layout.js'

export type SideName = 'producer' | 'consumer'

export function refuseCursors(capacity: number, got: number): never {
  return refuseCorrupt(`at most ${capacity} records between its cursors`, got)
}

export function refuseCorrupt(expected: string, got: unknown): never {
  throw new VeloxError('VELOX_RING_CORRUPT', { ring: 'the ring', expected, got })
}

/** Where the words of a side lie, and what its other side has done. */
export interface SidePlace {
  readonly cells: Int32Array
  readonly name: SideName
  /** Number of the handle. */
  readonly owner: number
  readonly capacity: number
  readonly ownerCell: number
  readonly cursorCell: number
  /** The other side's position; `at` is this side's, `known` what was given before. */
  far(at: number, known: number): number
  /** Where the other side sleeps. */
  readonly wakes: Bell
}

/** One side of a ring as one handle sees it: whether it holds the side, and the side's own cursor. */
export class RingSide {
  readonly #place: SidePlace
  readonly #cells: Int32Array
  readonly #cursorCell: number
  readonly #capacity: number
  readonly #produces: boolean
  readonly #wakes: Bell
  #held = false
  #busy = false
  /** The side's own position. */
  at = 0
  /** The other side's, as last seen. */
  #far = 0

  constructor(place: SidePlace) {
    this.#place = place
    this.#cells = place.cells
    this.#cursorCell = place.cursorCell
    this.#capacity = place.capacity
    this.#produces = place.name === 'producer'
    this.#wakes = place.wakes
  }

  hold(): void {
    if (this.#held && !this.#busy) return
    const { name, owner, ownerCell } = this.#place
    if (this.#busy)
      throw new VeloxError('VELOX_RING_OWNED', { side: name, by: 'a call or a batch of this handle that is under way' })
    const by = Atomics.compareExchange(this.#cells, ownerCell, 0, owner) >>> 0
    if (by !== 0) {
      const whom = by >= NATIVE_OWNERS ? 'native code' : `handle ${by}`
      throw new VeloxError('VELOX_RING_OWNED', { side: name, by: whom })
    }
    this.#held = true
    this.at = Atomics.load(this.#cells, this.#cursorCell)
    this.#far = this.at
    try {
      this.#look()
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Code that is not the ring's own runs from here to `leave`: it can't use this side. */
  enter(): void {
    this.#busy = true
  }

  leave(): void {
    this.#busy = false
  }

  release(): void {
    if (!this.#held) return
    if (this.#busy) this.hold()
    this.#held = false
    Atomics.compareExchange(this.#cells, this.#place.ownerCell, this.#place.owner, 0)
  }

  /** How many records wait; what is known is enough from `least` on, else the other side is looked at. */
  waiting(least: number): number {
    const known = this.#between(this.#far)
    if (known >= least) return known
    this.#look()
    return this.#between(this.#far)
  }

  /** How many more records fit; what is known is enough from `least` on, else the other side is looked at. */
  room(least: number): number {
    const known = this.#capacity - this.#between(this.#far)
    if (known >= least) return known
    this.#look()
    return this.#capacity - this.#between(this.#far)
  }

  /** Publishes that the side has moved on. */
  advance(count: number): void {
    this.at = (this.at + count) | 0
    Atomics.store(this.#cells, this.#cursorCell, this.at)
    this.#wakes.ring()
  }

  #between(far: number): number {
    return (this.#produces ? this.at - far : far - this.at) >>> 0
  }

  /** Looks at the other side; believes only what can be. */
  #look(): void {
    const far = this.#place.far(this.at, this.#far)
    const got = this.#between(far)
    if (got > this.#capacity) refuseCursors(this.#capacity, got)
    this.#far = far
  }
}
