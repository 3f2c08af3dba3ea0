// Bundles.
import type { Bundle, Infer, Input, Transaction } from './records.js'
import type { RingBuffer } from './rings.js'

/** Closes a bundle at `max` transactions (default 16, 1 to 16) or `timeoutMicros` after its first (default 100). */
export class BundleBuilder {
  constructor(o?: { max?: number; timeoutMicros?: number })
  /** false: not taken (the ring is full); try again. The builder is the ring's producer. */
  add(t: Input<typeof Transaction>, to: RingBuffer<typeof Bundle>): boolean
  /** Whether the open bundle is older than the time-out. */
  shouldFlushTimeout(): boolean
  forceFlush(to: RingBuffer<typeof Bundle>): 'flushed' | 'empty' | 'full'
  /** Transactions in the open bundle. */
  readonly length: number
}
export function activeTransactions(b: Infer<typeof Bundle>): readonly Infer<typeof Transaction>[]
