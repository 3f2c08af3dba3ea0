import type { Bundle, BundleBuilder as Face, Input, RingBuffer, Transaction as TransactionType } from '../../index.js'
import { checkInteger, checkOptions, refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { codecOf } from '../record/codec.js'
import { Transaction } from '../record/transaction.js'
import { ringSlot } from '../ring/native-ring.js'
import { RingBuffer as Ring } from '../ring/ring-buffer.js'

const FLUSHED = ['flushed', 'empty', 'full'] as const
const transactions = codecOf(Transaction)

function ringOf(to: RingBuffer<typeof Bundle>): number {
  return ringSlot(to instanceof Ring ? to : refuse('to', 'a RingBuffer of Bundle', to))
}

export class BundleBuilder implements Face {
  readonly #slot: number
  readonly #bytes = new Uint8Array(Transaction.byteLength)
  readonly #view = new DataView(this.#bytes.buffer)

  constructor(o: { max?: number; timeoutMicros?: number } = {}) {
    checkOptions(o, ['max', 'timeoutMicros'], 'BundleBuilder')
    const { max = 16, timeoutMicros = 100 } = o
    checkInteger('max', max, 1, 16)
    checkInteger('timeoutMicros', timeoutMicros, 0)
    this.#slot = owned(this, native.builderNew(max, timeoutMicros))
  }

  add(t: Input<typeof TransactionType>, to: RingBuffer<typeof Bundle>): boolean {
    transactions.write(this.#view, 0, t)
    const ring = ringOf(to)
    return call(() => native.builderAdd(this.#slot, ring, this.#bytes))
  }

  shouldFlushTimeout(): boolean {
    return native.builderTimedOut(this.#slot)
  }

  forceFlush(to: RingBuffer<typeof Bundle>): 'flushed' | 'empty' | 'full' {
    const ring = ringOf(to)
    return FLUSHED[call(() => native.builderFlush(this.#slot, ring))] as (typeof FLUSHED)[number]
  }

  get length(): number {
    return native.builderLength(this.#slot)
  }
}
