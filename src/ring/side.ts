import { VeloxError } from '../errors/velox-error.js'
import { CONSUMER_CELL, HEAD_CELL, NATIVE_OWNERS, PRODUCER_CELL, TAIL_CELL } from './layout.js'

export type SideName = 'producer' | 'consumer'

/** One side of a ring as one handle sees it: whether it holds the side, and the side's own cursor. */
export class RingSide {
  readonly #cells: Int32Array
  readonly #name: SideName
  readonly #owner: number
  readonly #ownerCell: number
  readonly #cursorCell: number
  readonly #farCell: number
  readonly #capacity: number
  #held = false
  #busy = false
  /** The side's own position. */
  at = 0
  /** The other side's, as last seen. */
  #far = 0

  constructor(cells: Int32Array, name: SideName, owner: number, capacity: number) {
    this.#cells = cells
    this.#name = name
    this.#owner = owner
    this.#capacity = capacity
    const produces = name === 'producer'
    this.#ownerCell = produces ? PRODUCER_CELL : CONSUMER_CELL
    this.#cursorCell = produces ? TAIL_CELL : HEAD_CELL
    this.#farCell = produces ? HEAD_CELL : TAIL_CELL
  }

  hold(): void {
    if (this.#busy)
      throw new VeloxError('VELOX_RING_OWNED', { side: this.#name, by: 'a call of this handle that is under way' })
    if (this.#held) return
    const by = Atomics.compareExchange(this.#cells, this.#ownerCell, 0, this.#owner) >>> 0
    if (by !== 0) {
      const whom = by >= NATIVE_OWNERS ? 'native code' : `handle ${by}`
      throw new VeloxError('VELOX_RING_OWNED', { side: this.#name, by: whom })
    }
    this.#held = true
    this.at = Atomics.load(this.#cells, this.#cursorCell)
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
    Atomics.compareExchange(this.#cells, this.#ownerCell, this.#owner, 0)
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
  }

  #between(far: number): number {
    return (this.#name === 'producer' ? this.at - far : far - this.at) >>> 0
  }

  /** Looks at the other side; believes only what can be. */
  #look(): void {
    const far = Atomics.load(this.#cells, this.#farCell)
    const got = this.#between(far)
    if (got > this.#capacity) {
      const expected = `at most ${this.#capacity} records between its cursors`
      throw new VeloxError('VELOX_RING_CORRUPT', { ring: 'the ring', expected, got })
    }
    this.#far = far
  }
}
