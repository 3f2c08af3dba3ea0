// Rings whose cursors are about to wrap: as 32-bit numbers with a sign, and without one.
import { BroadcastRing, LatestRing, MpscRing } from 'velox-engine'
import { HEAD_CELL, LAPPED_CELL, SLOTS_AT, TAIL_CELL } from '../../dist/ring/layout.js'

/** Where a test's rings begin: at 0, and a little before 2^31 and 2^32 records. */
export const STARTS = [0, 2 ** 31 - 30, 2 ** 32 - 30] as const

/** A ring that nobody has used yet, as if `start` records had gone through it; of a ring of the latest, for handles to come. */
export function started<R extends { share(): object; readonly capacity: number }>(ring: R, start: number): R {
  const { capacity } = ring
  const cells = new Int32Array((ring.share() as { buffer: SharedArrayBuffer }).buffer)
  const behind = SLOTS_AT / 4
  cells[TAIL_CELL] = start
  if (ring instanceof BroadcastRing) for (let i = 0; i < ring.consumers; i++) cells[behind + 16 * i + 1] = start
  else cells[HEAD_CELL] = start
  for (let position = start; position < start + capacity; position++) {
    const stamp = behind + (position & (capacity - 1))
    if (ring instanceof LatestRing) cells[stamp] = 2 * (position - capacity) + 1
    if (ring instanceof MpscRing) cells[stamp] = position - capacity + 1
  }
  if (ring instanceof LatestRing && start > 0) cells[LAPPED_CELL] = 1
  return ring
}
