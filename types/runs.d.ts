// Runs: how a pipeline starts, and what goes on.
import type { Param } from './expressions.js'
import type { Element } from './records.js'
import type { Report, Stats } from './reports.js'
import type { Batch } from './rings.js'

/**
 * How a thread waits for work. `spin`: never sleeps, takes a core. `yield`: gives the core away between looks. `backoff`
 * (default): spins, yields, then sleeps up to 1 ms, and wakes ahead of a scheduled arrival. `block`: sleeps until woken.
 */
export type Wait = 'spin' | 'yield' | 'backoff' | 'block'
export interface StartOptions {
  /**
   * Where stages run: `auto` fuses all on one thread, which waits by `backoff` where `spin` or `yield` would leave no core
   * of the machine to the event loop, over all runs of the process; a number cuts the chain evenly; a list names the stages of each.
   */
  threads?: 'auto' | number | readonly { core?: number; stages: readonly string[]; wait?: Wait }[]
  wait?: Wait
  /**
   * Whether latencies are measured, and told to other processes of this user. Default: true. Without, the accounts are kept
   * all the same.
   */
  metrics?: boolean
  /**
   * Ends the source; everything on the way arrives. A stage that is not ready a second later, as its module hangs, rejects
   * `start()` with VELOX_STAGE_FAILED.
   */
  stopOn?: AbortSignal | undefined
  /** Ends the run at once: `done()` rejects with VELOX_RUN_ABORTED. */
  signal?: AbortSignal | undefined
}
export interface Placement {
  readonly core?: number
  readonly stages: readonly string[]
  readonly wait: Wait
  readonly why: string
}
/** What leads where. */
export interface Topology {
  readonly stages: readonly string[]
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    readonly whenFull: 'block' | 'drop'
    /** How many records it holds at most: between threads those in the batches at the ring's two ends too. */
    readonly capacity: number
    /** Whether it is a ring between two threads, or a batch within one. */
    readonly crossesThreads: boolean
  }[]
}
/** Disposal ends it as `stop()` does, and as `abort()` does where nothing moves for a second: nobody reads its last ring. */
export interface Run<T extends Element> extends AsyncDisposable {
  /** The pipeline's. */
  readonly name: string
  /** What the run carries at its end. */
  readonly type: T
  readonly placement: readonly Placement[]
  readonly topology: Topology
  /**
   * Parameters by their `param()` or their name; those of a stage by `'stage.name'`, or by the name where only one has it.
   * After the end: no effect.
   */
  readonly params: { set(p: Param | string, value: number): void; get(p: Param | string): number }
  /**
   * What a pipeline without a last `to()` gives: batches as the event loop gets to them, each valid until the next. The
   * edge blocks unless the last step says drop; what nobody read at `stop()` counts as dropped. Inside the loop `break`
   * before awaiting `stop()`: the run waits for the reader that it was called by. The loop throws what `done()` rejects with
   * where the run failed or was aborted: its end is the end of the data.
   */
  batches(o?: { signal?: AbortSignal | undefined }): AsyncIterable<Batch<T>>
  /** The sources give nothing until `resume()`; what is on its way goes on. What was scheduled shifts by as long. */
  pause(): void
  resume(): void
  /** Ends when the run ends. `everyMillis`: 1 to 2^31 - 1, 1,000 where it isn't given. */
  stats(o?: { everyMillis?: number }): AsyncIterable<Stats>
  /**
   * Drains: every record is accounted for. A ring at the end is drained by its reader: without one, `abort` ends the run.
   * Rejects as `done()` does; where nobody waits for it, it is no unhandled rejection.
   */
  stop(): Promise<Report>
  abort(reason?: unknown): void
  /**
   * Rejects with VELOX_STAGE_FAILED, its cause the stage's own error; never an unhandled rejection by itself. Waits for
   * ever where more than a ring of batches has no reader: read `batches()`, or `stop()`.
   */
  done(): Promise<Report>
}
