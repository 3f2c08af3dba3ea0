// Reports and live stats.
import type { Placement } from './runs.js'

export interface Percentiles {
  readonly min: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly mean: number
  readonly count: number
}
/** in = consumed + filtered + conflated + errors + held, at rest. */
export interface StageReport {
  readonly name: string
  readonly in: number
  readonly out: number
  readonly consumed: number
  readonly filtered: number
  readonly conflated: number
  readonly errors: number
  readonly held: number
  /** Records that came out of order, of a `merge`. */
  readonly late?: number
  /** Live only: it has not come back from its work for a second. A stage that waits for records is not stuck. */
  readonly stuck?: boolean
  /** The first refused record, as a sentence. */
  readonly firstError?: string
  /**
   * From a record's scheduled arrival until this stage was through with it; after a `bundle` step, from the closing of
   * the bundle. Live too.
   */
  readonly latencyNanos?: Percentiles
  /** What share of the run's time it was at work, 0 to 1: between the looks at the clock before and after a batch. */
  readonly busy: number
  /** Of a live market: its connection and its books. */
  readonly live?: LiveStatus
}
/** What a live market has been through so far. */
export interface LiveStatus {
  readonly venue: string
  readonly state: 'idle' | 'connecting' | 'connected' | 'ended'
  /** How long ago the last message was received; absent before the first. */
  readonly ageMillis?: number
  /** Messages and bytes received, and the events that they gave. */
  readonly messages: number
  readonly bytes: number
  readonly events: number
  /** Connections that were made, the first one too. */
  readonly connections: number
  /** How often a connection could not be made, or broke, and was tried again. */
  readonly connectionErrors: number
  /** How often events of a book were missing, and how often a book was not what the venue said it was: it went stale. */
  readonly gaps: number
  readonly checksums: number
  /** Messages that could not be decoded; they changed nothing. */
  readonly errors: number
  /** How often the pipeline was so far behind that the connection was given up, and the messages that found no room. */
  readonly overflows: number
  readonly dropped: number
  /** REST snapshots that were fetched, and calls that failed. */
  readonly snapshots: number
  readonly restErrors: number
  readonly recordedBytes: number
  /** Why the last connection, call or message failed. */
  readonly lastError?: string
  /** How each book stands, and how long ago its last event was received. */
  readonly symbols: readonly {
    readonly symbol: string
    readonly state: 'syncing' | 'live' | 'stale'
    readonly ageMillis?: number
  }[]
}
/** offered = pushed + dropped; pushed = popped + inFlight. */
export interface EdgeReport {
  readonly from: string
  readonly to: string
  readonly offered: number
  readonly pushed: number
  readonly popped: number
  readonly dropped: number
  readonly inFlight: number
  /** The most that were ever in flight at once, of the edge's capacity in the topology; what it dropped at once is no part of it. */
  readonly highWater: number
}
/** What a thread is at, in the order of the placement. */
export interface ThreadReport {
  readonly stages: readonly string[]
  /** What share of the run's time its stages were at work, 0 to 1. */
  readonly busy: number
  /** How long ago its round began; absent while it sleeps, and before its first. */
  readonly beatAgeNanos?: number
  /** A thread that has ended sleeps. */
  readonly asleep: boolean
  /** Pauses over 10 µs while it spun: the machine took the core away. */
  readonly stalls: { readonly count: number; readonly totalNanos: number; readonly maxNanos: number }
}
/** How a book stands: the step that keeps it, and its instrument. */
export interface BookReport {
  readonly name: string
  readonly symbol: string
  readonly state: 'empty' | 'live' | 'stale'
  /** How long ago it changed; absent for never. */
  readonly ageNanos?: number
  /** The number of its last event. */
  readonly sequence: number
}
export interface Stats {
  readonly elapsedNanos: bigint
  readonly stages: readonly StageReport[]
  readonly edges: readonly EdgeReport[]
  readonly threads: readonly ThreadReport[]
  readonly books: readonly BookReport[]
  /** From the scheduled arrival to the end of the pipeline, the wait for a full bundle left out. */
  readonly endToEndNanos?: Percentiles
  /** What a transaction waited in an open bundle. */
  readonly bundleWaitNanos?: Percentiles
  /**
   * By how much a thread that sleeps for 1 ms woke late while the run went: what the machine took, and not the run. A
   * latency with a hiccup as long beside it is the machine's. Absent where threads that never sleep have every core: they
   * tell their own `stalls`.
   */
  readonly hiccupNanos?: Percentiles
  toString(): string
}
export interface Report extends Stats {
  /** Whether the accounts of all stages and edges add up. */
  readonly balanced: boolean
  /** Source records per second. */
  readonly perSecond: number
  /** Book checks against the exchange's own quotes; absent where the data has none. */
  readonly verified?: {
    /** Quotes that the books saw. */
    readonly quotes: number
    /** Quotes of the data that a right book must agree with, counted apart from the book. */
    readonly checked: number
    readonly agreed: number
    readonly firstDisagreement?: string
  }
  /** Gaps in the data, after which a book was stale. */
  readonly gaps: number
  /** Messages of the data that reached nobody: of other kinds or symbols, repeated, or between a gap and a snapshot. */
  readonly leftOut: number
  /** Pauses of spinning threads over 10 µs: the machine took the core away. */
  readonly stalls: { readonly count: number; readonly totalNanos: number; readonly maxNanos: number }
  readonly placement: readonly Placement[]
  /**
   * Parameters that were set while the run went: which step saw it, and how many records it had taken before. The first
   * 1,024 that each step saw; how many more there were is told in `nonDeterministic`.
   */
  readonly paramChanges: readonly {
    readonly stage: string
    readonly param: string
    readonly value: number
    readonly atRecord: number
  }[]
  /** Empty when the same input gives the same bytes; else the reasons. */
  readonly nonDeterministic: readonly string[]
  toJSON(): unknown
}
