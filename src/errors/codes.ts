import type { VeloxErrorCode, VeloxErrorContexts } from '../../index.js'
import { describe } from './describe.js'
import { nearest } from './nearest.js'

type Messages = { readonly [C in VeloxErrorCode]: (context: VeloxErrorContexts[C]) => string }

/** Each code and its sentence: what was expected, and what came. */
export const MESSAGES: Messages = {
  VELOX_INVALID_CAPACITY: ({ capacity }) =>
    `capacity: expected a power of two from 2 to 2^30 that memory has room for, got ${describe(capacity)}`,
  VELOX_INVALID_VALUE: ({ field, expected, got }) => `${field}: expected ${expected}, got ${describe(got)}`,
  VELOX_UNSAFE_INTEGER: ({ field }) =>
    `${field}: expected a whole number within ±(2^53 - 1), got one that a JavaScript number can't hold exactly`,
  VELOX_UNKNOWN_OPTION: ({ option, known }) => {
    const meant = nearest(option, known)
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    return `${option}: expected one of ${known.join(', ')}, got an option that there is not${hint}`
  },
  VELOX_UNKNOWN_FIELD: ({ record, field, known }) => {
    const meant = nearest(field, known)
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    return `${record}: expected one of its fields ${known.join(', ')}, got ${field}${hint}`
  },
  VELOX_TYPE_MISMATCH: ({ op, expected, got }) => `${op}: expected ${expected}, got ${got}`,
  VELOX_RECORD_INVALID: ({ record, field, expected, got }) =>
    `${record}.${field}: expected ${expected} in the memory of the ring, got ${describe(got)}`,
  VELOX_RING_OWNED: ({ side, by }) =>
    `the ${side} side of the ring: expected it free, got one that ${by} holds${by.includes('under way') ? '' : `; release('${side}') hands it over`}`,
  VELOX_RING_CLOSED: ({ ring }) => `${ring}: expected an open ring, got a closed one`,
  VELOX_RING_CORRUPT: ({ ring, expected, got }) =>
    `${ring} was written over: expected ${expected}, got ${describe(got)}`,
  VELOX_RING_MISMATCH: ({ expected, got }) => `expected ${expected}, got ${got}`,
  VELOX_STALE_BATCH: ({ ring }) =>
    `a batch of ${ring}: expected a read inside the callback that got it, got one after it`,
  VELOX_BOOK_CONTENDED: ({ attempts }) =>
    `the book: expected a moment without other writers, got none in ${attempts} tries; nothing was applied`,
  VELOX_BOOK_OWNED: ({ by }) => `the book: expected no writer, got ${by}`,
  VELOX_FILE_NOT_FOUND: ({ path, importedFrom }) =>
    importedFrom === undefined
      ? `${path}: expected a file, got nothing there`
      : `${path}, imported from ${importedFrom}: expected a file, got nothing there: check the name and its ending`,
  VELOX_FILE_UNREADABLE: ({ path, reason }) => `${path}: expected a readable file, got: ${reason}`,
  VELOX_FILE_UNWRITABLE: ({ path, reason }) => `${path}: expected a file that can be written, got: ${reason}`,
  VELOX_CORRUPT_DATA: ({ path, line, expected, got }) => `${path}, line ${line}: expected ${expected}, got ${got}`,
  VELOX_TLS_UNTRUSTED: ({ host, reason }) =>
    host === ''
      ? `expected at least one trusted certificate from the system or from SSL_CERT_FILE, got ${reason}`
      : `${host}: expected a certificate that this system trusts, got ${reason}`,
  VELOX_LIVE_REFUSED: ({ url, status, reason }) =>
    `${url}: expected to be served, got HTTP status ${status}: ${reason}`,
  VELOX_PORT_UNAVAILABLE: ({ host, port, reason }) =>
    `${host}, port ${port}: expected a free port to listen on, got: ${reason}`,
  VELOX_METRICS_REFUSED: ({ message }) => message,
  VELOX_BAD_MESSAGE: ({ venue, expected, got }) => `a message of ${venue}: expected ${expected}, got ${got}`,
  VELOX_UNKNOWN_SYMBOL: ({ symbol, known }) =>
    `symbol: expected ${known.length === 0 ? 'none, as the source has no symbols' : `one of ${known.join(', ')}`}, got ${symbol}`,
  VELOX_UNKNOWN_FORMAT: ({ format, known }) => `format: expected one of ${known.join(', ')}, got ${format}`,
  VELOX_PLACEMENT_INVALID: ({ expected, got }) => `placement: expected ${expected}, got ${got}`,
  VELOX_RPC_FAILED: ({ url, method, reason, status, rpcCode }) => {
    const codes = [
      status !== undefined && status !== 200 && `HTTP ${status}`,
      rpcCode !== undefined && `code ${rpcCode}`,
    ]
    const told = codes.filter((code) => code !== false).join(', ')
    return `${url}, ${method}: expected a result, got${told && ` ${told}`}: ${reason}`
  },
  VELOX_LIMIT_REACHED: ({ limit, max, got }) => `${limit}: expected at most ${max}, got ${got}; nothing was sent`,
  VELOX_SUBMITTER_HALTED: ({ reason }) => `the submitter: expected one that sends, got a halt: ${reason}`,
  VELOX_SUBMITTER_CLOSED: ({ open }) =>
    `the submitter: expected an open one, got a closed one with ${open} submissions on their way`,
  VELOX_JOURNAL_LOCKED: ({ path, by }) => `${path}: expected a journal that nobody uses, got one that ${by} has`,
  VELOX_TRANSACTION_FAILED: ({ signature, reason }) => `${signature}: expected to be executed, got: ${reason}`,
  VELOX_BUNDLE_SPLIT: ({ bundleId, landed, missing }) =>
    `bundle ${bundleId}: expected all of it to land, got ${landed.length} of ${landed.length + missing.length} transactions`,
  VELOX_READER_BEHIND: ({ lost }) => `outcomes: expected a reader that keeps up, got one that missed ${lost}`,
  VELOX_KEY_REFUSED: ({ source, expected, got }) => `${source}: expected ${expected}, got ${got}`,
  VELOX_TEMPLATE_INVALID: ({ field, expected, got }) => `${field}: expected ${expected}, got ${describe(got)}`,
  VELOX_HOLE_OVERFLOW: ({ hole, record, expected, got }) =>
    `record ${record}, the hole ${hole}: expected ${expected}, got ${describe(got)}`,
  VELOX_TRANSACTION_TOO_LONG: ({ records, bytes, most, fits }) =>
    `${records} records in one transaction: expected at most ${most} bytes, got ${bytes}; ${fits} fit`,
  VELOX_PEER_MISSING: ({ peer, reason }) => `expected the package ${peer} to be installed, got: ${reason}`,
  VELOX_STAGE_FAILED: ({ stage }) => `the stage ${stage} failed`,
  VELOX_RUN_ABORTED: ({ reason }) => `the run was aborted: ${reason}`,
  VELOX_NATIVE_PANIC: ({ message }) => `a bug in velox-engine: native code panicked: ${message}`,
  VELOX_NATIVE_MISSING: ({ platform, libc, tried, install }) =>
    `expected the native addon of velox-engine for ${platform}${libc === undefined ? '' : ` (libc ${libc})`}, got: ${tried.join('; ')}. ${install}`,
}
