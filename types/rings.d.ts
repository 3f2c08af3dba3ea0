// Rings.
import type { Element, Field, Infer, Input, Nanos, RecordType } from './records.js'

/**
 * Records in place. Valid inside the callback that got it; later reads throw VELOX_STALE_BATCH, and inside a later callback they may read its batch. `batch.price(i)` reads one
 * field of record `i` and makes no object.
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
  /** Reads up to `max` records in place; says how many. If the callback throws, nothing is consumed. */
  drain(read: (batch: Batch<T>) => void, max?: number): number
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
