// Rings.
import type { Element, Field, Infer, Input, Nanos, RecordType } from './records.js'
import type { Writer } from './stages.js'

/**
 * Records in place. Valid inside the callback that got it; later reads throw VELOX_STALE_BATCH, or read the batch of a later
 * callback inside that. `batch.price(i)` reads one field of record `i` and makes no object.
 */
export type Batch<T> = {
  readonly length: number
  toArray(): Infer<T>[]
  at(i: number): Infer<T>
} & (T extends RecordType<infer F>
  ? {
      // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
      readonly [K in keyof F]: ((i: number) => F[K] extends Field<infer R, any> ? R : never) &
        (F[K] extends Nanos ? { micros(i: number): number } : unknown)
    }
  : unknown)
/** What `share()` gives: send it to a worker by `postMessage` or `workerData`, and `attach` there. */
export interface SharedRing<T extends Element> {
  readonly type: T
}
/**
 * A lock-free ring for one producer and one consumer, on one thread or two, JavaScript or native. The first `push` makes its
 * handle the producer, the first read the consumer; another handle on the same side gets VELOX_RING_OWNED.
 *
 * ```ts
 * const ring = new RingBuffer(text(64), 1024)
 * ring.push('hello')
 * ring.pop() // 'hello'
 * ```
 */
export class RingBuffer<T extends Element> implements Disposable {
  /** @param capacity a power of two from 2 to 2^30, else VELOX_INVALID_CAPACITY. */
  constructor(type: T, capacity: number)
  /** false when full: nothing is lost. A value that doesn't fit its type throws, and nothing is pushed. */
  push(value: Input<T>): boolean
  /** undefined when empty. A record that can't be read as its type throws and stays; `drain(() => {}, 1)` skips it. */
  pop(): Infer<T> | undefined
  /** How many were taken, from `from` on; published at once. If one of them is refused, none is pushed. */
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  popMany(max: number): Infer<T>[]
  /**
   * Writes up to `max` free slots in place, and publishes as many as the callback says, from the first on. `w.price(i, v)` sets a
   * field of slot `i`; `w.push(value)` writes whole slots, from the first on. What a slot isn't given keeps what stood there. 0 when
   * full: the callback
   * isn't called then. If it throws, nothing is published.
   *
   * ```ts
   * ring.fill(256, (w) => {
   *   const count = Math.min(w.room, prices.length)
   *   for (let i = 0; i < count; i++) w.price(i, prices[i])
   *   return count
   * })
   * ```
   */
  fill(max: number, write: (w: Writer<T>) => number): number
  /** Reads up to `max` records in place; says how many. If the callback throws, nothing is consumed. */
  drain(read: (batch: Batch<T>) => void, max?: number): number
  /**
   * The same, and waits for the first record up to `timeoutMicros`: 0 when none came, or when the ring is closed and empty. It
   * blocks, so it is for workers alone. A script that pushes wakes it; native code is looked for once a millisecond.
   */
  drainWait(read: (batch: Batch<T>) => void, o: { timeoutMicros: number; max?: number }): number
  /**
   * Batches as they come, each valid until the next is asked for, which counts it as read, as leaving the loop does. Ends when the
   * ring is closed and empty, or at the signal. The event loop is free while it waits. Until a batch is read, other reads of this
   * handle, `release()` and a second such loop get VELOX_RING_OWNED.
   */
  batches(o?: { signal?: AbortSignal | undefined; max?: number }): AsyncIterable<Batch<T>>
  readonly capacity: number
  readonly length: number
  readonly isEmpty: boolean
  readonly isFull: boolean
  readonly isClosed: boolean
  share(): SharedRing<T>
  /** The same ring in another thread. VELOX_RING_MISMATCH if it holds another type. */
  static attach<T extends Element>(type: T, shared: SharedRing<T>): RingBuffer<T>
  /** Gives up what this handle claimed, for another handle to take. */
  release(side?: 'producer' | 'consumer'): void
  /** Ends the ring for both sides: `push` throws VELOX_RING_CLOSED, what is left can still be read. */
  close(): void
  [Symbol.dispose](): void
}
/**
 * A ring of which each of several consumers sees every record; the one that is furthest behind holds up the producer. JavaScript
 * ends only. A handle that reads takes one of the ring's seats, and each seat counts from the beginning, taken or not.
 *
 * ```ts
 * const ring = new BroadcastRing(u32, 1024, 2)
 * const other = BroadcastRing.attach(u32, ring.share()) // in another worker
 * ring.push(7)
 * ring.pop() // 7
 * other.pop() // 7
 * ```
 */
export class BroadcastRing<T extends Element> implements Disposable {
  /** @param consumers how many there are: 1 to 64. */
  constructor(type: T, capacity: number, consumers: number)
  /** false while the slowest consumer has a whole ring before it. */
  push(value: Input<T>): boolean
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  fill(max: number, write: (w: Writer<T>) => number): number
  /** This handle's next record. VELOX_RING_OWNED where every seat is another's. */
  pop(): Infer<T> | undefined
  popMany(max: number): Infer<T>[]
  drain(read: (batch: Batch<T>) => void, max?: number): number
  readonly capacity: number
  readonly consumers: number
  /** How many records wait for this handle. Takes a seat, as reading does: not for a handle that only pushes. */
  readonly length: number
  readonly isClosed: boolean
  share(): SharedRing<T>
  static attach<T extends Element>(type: T, shared: SharedRing<T>): BroadcastRing<T>
  /** Gives up what this handle claimed; its seat goes on holding up the producer, and another handle may take it. */
  release(): void
  /** Gives up this handle's seat for good: the producer goes on without it. It reads no more: VELOX_INVALID_VALUE. */
  leave(): void
  close(): void
  [Symbol.dispose](): void
}
/** A ring that any number of handles push into, and one reads from. JavaScript ends only. */
export class MpscRing<T extends Element> implements Disposable {
  constructor(type: T, capacity: number)
  /** false when full. Records of one handle come in its order. */
  push(value: Input<T>): boolean
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  pop(): Infer<T> | undefined
  popMany(max: number): Infer<T>[]
  drain(read: (batch: Batch<T>) => void, max?: number): number
  readonly capacity: number
  /** How many wait, those counted that are being written. */
  readonly length: number
  readonly isEmpty: boolean
  readonly isClosed: boolean
  share(): SharedRing<T>
  static attach<T extends Element>(type: T, shared: SharedRing<T>): MpscRing<T>
  /** Gives up the consumer's side, where it is this handle's. */
  release(): void
  close(): void
  [Symbol.dispose](): void
}
/**
 * A ring that never refuses: what is pushed writes over the oldest. One handle pushes, any number read, each on its own.
 * JavaScript ends only; each 4 bytes of a record cost an atomic access, some 10 ns.
 *
 * ```ts
 * const ring = new LatestRing(u32, 4)
 * for (let n = 0; n < 10; n++) ring.push(n)
 * ring.pop() // 6
 * ring.missed // 6
 * ```
 */
export class LatestRing<T extends Element> implements Disposable {
  constructor(type: T, capacity: number)
  push(value: Input<T>): void
  /** The oldest record that is still there and that this handle hasn't read. */
  pop(): Infer<T> | undefined
  readonly capacity: number
  /** How many records were written over before this handle got to them. */
  readonly missed: number
  readonly isClosed: boolean
  share(): SharedRing<T>
  /** Reads from the oldest record on that is there now. */
  static attach<T extends Element>(type: T, shared: SharedRing<T>): LatestRing<T>
  /** Gives up the producer's side, where it is this handle's. */
  release(): void
  close(): void
  [Symbol.dispose](): void
}
