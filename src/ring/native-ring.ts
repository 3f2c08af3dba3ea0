import type { Element, RingBuffer as Face } from '../../index.js'
import { call, native, owned } from '../native.js'
import { typeKey } from '../record/type-key.js'
import { internals, type RingBuffer } from './ring-buffer.js'

const slots = new WeakMap<object, number>()

/** The native slot of a ring: the memory is held as long as the ring's handle lives. */
export function ringSlot(ring: Face<Element>): number {
  const known = slots.get(ring)
  if (known !== undefined) return known
  const { buffer, type, capacity } = internals(ring as RingBuffer<Element>)
  const slot = owned(
    ring,
    call(() => native.ringAttach(new Uint8Array(buffer), typeKey(type), capacity)),
  )
  slots.set(ring, slot)
  return slot
}
