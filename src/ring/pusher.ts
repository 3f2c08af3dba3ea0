import type { Element, Input, Writer } from '../../index.js'
import { checkCount, checkInteger, checkList, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { apart } from './apart.js'
import { CLOSE, OPEN } from './batch.js'
import type { RingMemory } from './ring-handle.js'
import type { RingSide } from './side.js'
import type { Slots } from './slots.js'
import { RingWriter } from './writer.js'

export function refuseClosed(name: string): never {
  throw new VeloxError('VELOX_RING_CLOSED', { ring: `the ring of ${name}` })
}

/** The pushing calls of a ring with one producer. */
export class RingPusher<T extends Element> {
  readonly #side: RingSide
  readonly #memory: RingMemory<T>
  readonly #slots: Slots<T>
  #writer: RingWriter<T> | undefined

  constructor(side: RingSide, memory: RingMemory<T>) {
    this.#side = side
    this.#memory = memory
    this.#slots = memory.slots
  }

  push(value: Input<T>): boolean {
    this.#open()
    if (this.#side.room(1) === 0) return false
    this.#write(0, value)
    this.#side.advance(1)
    return true
  }

  pushMany(values: ArrayLike<Input<T>>, from: number): number {
    this.#open()
    checkList('values', values)
    checkCount('from', from)
    const wanted = Math.max(0, values.length - from)
    const count = Math.min(wanted, this.#side.room(wanted))
    for (let i = 0; i < count; i++) this.#write(i, values[from + i] as Input<T>)
    if (count > 0) this.#side.advance(count)
    return count
  }

  fill(max: number, write: (w: Writer<T>) => number): number {
    checkCount('max', max)
    if (typeof write !== 'function') refuse('write', 'a function', write)
    this.#open()
    const side = this.#side
    const room = Math.min(max, side.room(max))
    if (room === 0) return 0
    const { view, codec, base, stride, mask } = this.#slots
    this.#writer ??= new RingWriter(view, codec, base, stride, mask)
    const writer = this.#writer
    side.enter()
    writer[OPEN](side.at, room)
    let count: number
    try {
      count = checkInteger('what write returns', apart(write, writer as unknown as Writer<T>), 0, room)
    } finally {
      writer[CLOSE]()
      side.leave()
    }
    if (count > 0) side.advance(count)
    return count
  }

  /** Writes a value `ahead` of the producer's cursor. Its getters are not the ring's own code. */
  #write(ahead: number, value: Input<T>): void {
    const side = this.#side
    side.enter()
    try {
      this.#slots.codec.write(this.#slots.view, this.#slots.offsetOf(side.at + ahead), value)
    } finally {
      side.leave()
    }
  }

  #open(): void {
    this.#side.hold()
    if (this.#memory.isClosed) refuseClosed(this.#slots.codec.name)
  }
}
