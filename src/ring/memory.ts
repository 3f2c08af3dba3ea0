// The shared memory of a ring of any kind: a header, and slots behind it.
import type { Element } from '../../index.js'
import { refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { codecOf } from '../record/codec.js'
import * as layout from './layout.js'

const MAX_CAPACITY = 2 ** 30

/** What `share()` gives, at run time. */
export interface Shared {
  readonly type: Element
  readonly buffer: SharedArrayBuffer
  readonly signature: string
}

/** A kind of ring, and how many bytes it takes. */
export interface Kind {
  readonly name: string
  readonly magic: number
  /** Where the slots begin. `consumers` is what its cell holds. */
  slotsAt(capacity: number, consumers: number): number
}

/** Names of the kinds, by their magic. */
const KINDS: Readonly<Record<number, string>> = {
  [layout.MAGIC]: 'RingBuffer',
  [layout.BROADCAST_MAGIC]: 'BroadcastRing',
  [layout.MPSC_MAGIC]: 'MpscRing',
  [layout.LATEST_MAGIC]: 'LatestRing',
}

export const cellsOf = (buffer: SharedArrayBuffer): Int32Array =>
  new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4))

export function allocate(kind: Kind, type: Element, capacity: number, consumers = 0): SharedArrayBuffer {
  if (!isCapacity(capacity)) throw new VeloxError('VELOX_INVALID_CAPACITY', { capacity })
  const stride = layout.strideOf(codecOf(type).byteLength)
  let buffer: SharedArrayBuffer
  let cells: Int32Array
  try {
    buffer = new SharedArrayBuffer(kind.slotsAt(capacity, consumers) + capacity * stride)
    // There can be more memory than one array of it may have elements.
    cells = cellsOf(buffer)
  } catch (cause) {
    throw new VeloxError('VELOX_INVALID_CAPACITY', { capacity }, { cause })
  }
  cells[layout.MAGIC_CELL] = kind.magic
  cells[layout.VERSION_CELL] = layout.VERSION
  cells[layout.CAPACITY_CELL] = capacity
  cells[layout.STRIDE_CELL] = stride
  cells[layout.CONSUMERS_CELL] = consumers
  return buffer
}

/** The memory that `share()` of the same kind and type gave. */
export function attached(kind: Kind, type: Element, shared: unknown): { buffer: SharedArrayBuffer; capacity: number } {
  const { signature, byteLength } = codecOf(type)
  const { buffer, signature: theirs } = (shared ?? {}) as Partial<Shared>
  if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength < layout.SLOTS_AT) {
    return refuse('shared', `what share() of a ${kind.name} gave`, shared)
  }
  if (signature !== theirs) throw mismatch(`a ring of ${signature}`, `a ring of ${theirs}`)
  const cells = cellsOf(buffer)
  const cell = (index: number) => Atomics.load(cells, index) >>> 0
  const capacity = cell(layout.CAPACITY_CELL)
  const stride = layout.strideOf(byteLength)
  const needed = kind.slotsAt(capacity, cell(layout.CONSUMERS_CELL)) + capacity * stride
  const fits = isCapacity(capacity) && buffer.byteLength >= needed
  const header = [cell(layout.MAGIC_CELL), cell(layout.VERSION_CELL), cell(layout.STRIDE_CELL)].join()
  const theirKind = cell(layout.MAGIC_CELL)
  if (theirKind !== kind.magic && theirKind in KINDS) throw mismatch(`a ${kind.name}`, `a ${KINDS[theirKind]}`)
  if (!fits || header !== [kind.magic, layout.VERSION, stride].join()) {
    throw mismatch('the header of a ring of this type', 'other words')
  }
  return { buffer, capacity }
}

function isCapacity(capacity: number): boolean {
  return Number.isInteger(capacity) && capacity >= 2 && capacity <= MAX_CAPACITY && (capacity & (capacity - 1)) === 0
}

function mismatch(expected: string, got: string): Error {
  return new VeloxError('VELOX_RING_MISMATCH', { expected, got })
}
