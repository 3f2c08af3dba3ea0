import type { Element, RingBuffer as Face } from '../../index.js'
import { refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { Bundle } from '../record/bundle.js'
import { MarketEvent, Trade } from '../record/market.js'
import { Transaction } from '../record/transaction.js'
import { internals, type RingBuffer } from './ring-buffer.js'

/** The records that native stages know. */
const NATIVE: readonly Element[] = [MarketEvent, Trade, Transaction, Bundle]
const slots = new WeakMap<object, number>()

/** The native slot of a ring: the memory is held as long as the ring's handle lives. */
export function ringSlot(ring: Face<Element>): number {
  const known = slots.get(ring)
  if (known !== undefined) return known
  const { buffer, type, capacity } = internals(ring as RingBuffer<Element>)
  if (!NATIVE.includes(type)) {
    refuse('ring', 'a ring of MarketEvent, Trade, Transaction or Bundle', ring)
  }
  const record = (type as { name: string }).name
  const slot = owned(
    ring,
    call(() => native.ringAttach(new Uint8Array(buffer), record, capacity)),
  )
  slots.set(ring, slot)
  return slot
}
