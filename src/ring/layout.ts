// The header of a shared ring, the same in `crates/velox-ring/src/foreign.rs`: 32-bit cells by index, slots by byte.

export const MAGIC = 0x564c5852
/** Kinds that have script ends only. */
export const BROADCAST_MAGIC = 0x564c5842
export const MPSC_MAGIC = 0x564c584d
export const LATEST_MAGIC = 0x564c584c
export const VERSION = 1

export const MAGIC_CELL = 0
export const VERSION_CELL = 1
export const CAPACITY_CELL = 2
export const STRIDE_CELL = 3
export const CLOSED_CELL = 4
export const PRODUCER_CELL = 5
export const CONSUMER_CELL = 6
/** Not 0 while somebody may sleep until there are records, or until there is room. */
export const SLEEPS_FOR_RECORDS_CELL = 7
export const SLEEPS_FOR_ROOM_CELL = 8
/** Counted up to wake them. */
export const RECORDS_BELL_CELL = 9
export const ROOM_BELL_CELL = 10
/** How many consumers a broadcast has. */
export const CONSUMERS_CELL = 11
/** 1 once each slot of a ring of the latest was written: its cursor, which wraps, can't tell. */
export const LAPPED_CELL = 12
/** How many records were pushed, wrapping at 2^32. */
export const TAIL_CELL = 16
/** How many records were popped, wrapping at 2^32. */
export const HEAD_CELL = 32

export const SLOTS_AT = 192

/** Owners from here on are native code. */
export const NATIVE_OWNERS = 0x8000_0000

export const strideOf = (byteLength: number): number => Math.ceil(byteLength / 8) * 8
