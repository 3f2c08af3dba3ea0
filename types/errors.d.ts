// Errors.

/** Each code and what its error says about itself. Codes never change. */
export interface VeloxErrorContexts {
  VELOX_INVALID_CAPACITY: { capacity: unknown }
  VELOX_INVALID_VALUE: { field: string; expected: string; got: unknown }
  VELOX_UNSAFE_INTEGER: { field: string }
  VELOX_UNKNOWN_OPTION: { option: string; known: readonly string[] }
  VELOX_UNKNOWN_FIELD: { record: string; field: string; known: readonly string[] }
  VELOX_TYPE_MISMATCH: { op: string; expected: string; got: string }
  VELOX_RECORD_INVALID: { record: string; field: string; expected: string; got: unknown }
  VELOX_RING_OWNED: { side: 'producer' | 'consumer'; by: string }
  VELOX_RING_CLOSED: { ring: string }
  VELOX_RING_CORRUPT: { ring: string; expected: string; got: unknown }
  VELOX_RING_MISMATCH: { expected: string; got: string }
  VELOX_STALE_BATCH: { ring: string }
  VELOX_BOOK_CONTENDED: { attempts: number }
  VELOX_BOOK_OWNED: { by: string }
  VELOX_FILE_NOT_FOUND: { path: string; importedFrom?: string }
  VELOX_FILE_UNREADABLE: { path: string; reason: string }
  VELOX_FILE_UNWRITABLE: { path: string; reason: string }
  VELOX_CORRUPT_DATA: { path: string; line: number; expected: string; got: string }
  VELOX_TLS_UNTRUSTED: { host: string; reason: string }
  VELOX_LIVE_REFUSED: { url: string; status: number; reason: string }
  VELOX_PORT_UNAVAILABLE: { host: string; port: number; reason: string }
  VELOX_METRICS_REFUSED: {
    path: string
    reason: 'unreadable' | 'foreign' | 'other-version' | 'damaged' | 'ended' | 'stale'
    message: string
  }
  VELOX_BAD_MESSAGE: { venue: string; expected: string; got: string }
  VELOX_UNKNOWN_SYMBOL: { symbol: string; known: readonly string[] }
  VELOX_UNKNOWN_FORMAT: { format: string; known: readonly string[] }
  VELOX_PLACEMENT_INVALID: { expected: string; got: string }
  /** A call of a Solana node or of a block engine that failed; `url` is an origin. The server's own words are the cause. */
  VELOX_RPC_FAILED: { url: string; method: string; reason: string; status?: number; rpcCode?: number }
  VELOX_LIMIT_REACHED: { limit: string; max: bigint | number; got: bigint | number }
  VELOX_SUBMITTER_HALTED: { reason: string }
  /** `open`: how many submissions were still on their way. */
  VELOX_SUBMITTER_CLOSED: { open: number }
  VELOX_JOURNAL_LOCKED: { path: string; by: string }
  /** Executed with an error: nothing of it happened, but it cost fees. */
  VELOX_TRANSACTION_FAILED: { signature: string; reason: string }
  /** A part of a bundle landed without the rest. */
  VELOX_BUNDLE_SPLIT: { bundleId: string; landed: readonly string[]; missing: readonly string[] }
  VELOX_READER_BEHIND: { lost: number }
  VELOX_KEY_REFUSED: { source: string; expected: string; got: string }
  VELOX_TEMPLATE_INVALID: { field: string; expected: string; got: unknown }
  VELOX_HOLE_OVERFLOW: { hole: string; record: number; expected: string; got: unknown }
  VELOX_TRANSACTION_TOO_LONG: { records: number; bytes: number; most: number; fits: number }
  VELOX_PEER_MISSING: { peer: string; reason: string }
  VELOX_STAGE_FAILED: { stage: string }
  VELOX_RUN_ABORTED: { reason: string }
  VELOX_NATIVE_PANIC: { message: string }
  VELOX_NATIVE_MISSING: { platform: string; libc?: string; tried: readonly string[]; install: string }
}
export type VeloxErrorCode = keyof VeloxErrorContexts
interface VeloxErrorOf<C extends VeloxErrorCode> extends Error {
  readonly code: C
  readonly context: Readonly<VeloxErrorContexts[C]>
}
/** A union by code, so that `e instanceof VeloxError && e.code === '…'` narrows the context. Survives the `error` event of a worker, and as the cause of a failed run; a clone by `postMessage` keeps its text only. */
export type VeloxError = { [C in VeloxErrorCode]: VeloxErrorOf<C> }[VeloxErrorCode]
export const VeloxError: {
  new <C extends VeloxErrorCode>(code: C, context: VeloxErrorContexts[C], o?: ErrorOptions): VeloxErrorOf<C>
  readonly prototype: VeloxError
  [Symbol.hasInstance](e: unknown): e is VeloxError
}
