// Pipelines: what is declared.
import type { L2Book } from './books.js'
import type { BoolExpr, Columns, Context, EnumExpr, Mapped, NumExpr } from './expressions.js'
import type { Bundle, Element, Infer, MarketEvent, RecordType, Trade, Transaction } from './records.js'
import type { Batch, RingBuffer } from './rings.js'
import type { Run, StartOptions } from './runs.js'
import type { Sink, Source } from './sources.js'
import type { StageDefinition } from './stages.js'

export interface StepOptions {
  /** How reports name the step; default: its kind. */
  name?: string
  /**
   * What the edge into the step does with a record that finds no room: `block` (default) holds up the step before it,
   * `drop` drops and counts it. Of the last step before `run.batches()`, the edge behind it too.
   */
  whenFull?: 'block' | 'drop'
  /** How many records that edge holds at least; default 256 within a thread, 4,096 between threads; at most 2^24, and 1 GiB. */
  capacity?: number
}
/**
 * A declaration: nothing runs, opens or allocates until `start`. Each step gives a new pipeline. `B`: the names of the
 * books that expressions see.
 */
export interface Pipeline<in out T extends Element, in B extends string = never> {
  readonly type: T
  /**
   * Applies level events to the book, passes everything on. `verify` holds it to the exchange's own quotes. Refused behind
   * an edge that drops, `sampleEvery`, `rateLimit`, `conflate` and a `merge` that drops: a lost event makes a book wrong.
   */
  book<N extends string = 'book'>(
    this: Pipeline<typeof MarketEvent>,
    b: L2Book,
    o?: StepOptions & { name?: N; verify?: 'quotes' },
  ): Pipeline<typeof MarketEvent, B | N>
  /** Trades only. */
  trades(this: Pipeline<typeof MarketEvent>, o?: StepOptions): Pipeline<typeof Trade, B>
  /** A trade of more lots than 32 bits hold is an error of this stage, counted; never a wrap. */
  transactions(this: Pipeline<typeof Trade>, o?: StepOptions): Pipeline<typeof Transaction, B>
  /** Closes a bundle at `max` transactions (16) or `timeoutMicros` (100) after its first, in the time of the records. */
  bundle(
    this: Pipeline<typeof Transaction>,
    o?: StepOptions & { max?: number; timeoutMicros?: number },
  ): Pipeline<typeof Bundle, B>
  /**
   * Passes on the records for which the condition holds; it runs natively, over every type of record.
   *
   * ```ts
   * .filter((t) => t.side.eq('ask').and(t.qty.gt('0.05'), t.price.gt(t.price.prev())))
   * ```
   */
  filter(e: (t: Columns<T>, x: Context<B>) => BoolExpr, o?: StepOptions): Pipeline<T, B>
  /**
   * Makes a record of another type of each record, an expression or a value for each field; it runs natively. A record for
   * which a field has no value, or one that the field can't hold, is an error of the step, counted. An f32 rounds, beyond its
   * greatest to infinity.
   *
   * ```ts
   * .map(Mid, (t, { book }) => ({ id: t.id, mid: book.mid, large: t.qty.gt(100) }))
   * ```
   */
  map<O extends RecordType>(to: O, e: (t: Columns<T>, x: Context<B>) => Mapped<O>, o?: StepOptions): Pipeline<O, B>
  /**
   * A stage of your own, in a worker. What it throws fails the run: VELOX_STAGE_FAILED, with it as the cause: its class
   * where that is VeloxError or one of the language, its name, message, stack, fields and causes.
   */
  stage<O extends Element, P>(
    s: StageDefinition<T, O, P>,
    o?: StepOptions & { params?: { readonly [K in keyof P]?: number } },
  ): Pipeline<O, B>
  /**
   * Shows batches to a function on this thread, as the event loop gets to them, and passes everything on. `block` (default)
   * holds up the rest while the ring of `capacity` (4,096) records is full; with `drop` it never does.
   */
  tap(f: (batch: Batch<T>) => void, o?: StepOptions): Pipeline<T, B>
  /** Gives every record to a branch too, which ends in a `to()` of its own. */
  // biome-ignore lint/suspicious/noExplicitAny: the branch may end with any type
  tee(branch: (p: Pipeline<T, B>) => Pipeline<any>, o?: StepOptions): Pipeline<T, B>
  /** Goes on with the records for which the condition holds; the others go to a branch, which ends in a `to()`. */
  split(
    e: (t: Columns<T>, x: Context<B>) => BoolExpr,
    // biome-ignore lint/suspicious/noExplicitAny: the branch may end with any type
    otherwise: (p: Pipeline<T, B>) => Pipeline<any>,
    o?: StepOptions,
  ): Pipeline<T, B>
  /**
   * Brings streams together in the order of a time; of equal times this stream goes first, then `others` in their order.
   * A record that is older than one given on before is late: it is counted, and passed on or dropped. A quiet stream holds
   * up the others until its source has come as far, where the time is that of the records' receipt; else until it has a
   * record or ends.
   */
  merge(
    by: (t: Columns<T>) => NumExpr,
    others: readonly Pipeline<T>[],
    o?: StepOptions & { late?: 'emit' | 'drop' },
  ): Pipeline<T>
  /** Passes on the 1st, the n+1st, … record. */
  sampleEvery(n: number, o?: StepOptions): Pipeline<T, B>
  /** Passes on at most so many records a second, by the clock. */
  rateLimit(perSecond: number, o?: StepOptions): Pipeline<T, B>
  /** Leaves out a record whose key was seen within the window before: in the time of native records, by the arrival of others. */
  dedupe(
    key: (t: Columns<T>) => NumExpr | EnumExpr<string>,
    o: StepOptions & { windowMicros: number; maxKeys?: number },
  ): Pipeline<T, B>
  /** Keeps the latest record of each key while the step behind it has no room; what it replaces counts as conflated. */
  conflate(key: (t: Columns<T>) => NumExpr | EnumExpr<string>, o?: StepOptions & { maxKeys?: number }): Pipeline<T, B>
  to(s: Sink<T> | RingBuffer<T>, o?: StepOptions): Pipeline<T, B>
  /** Runs it, and gives what arrives as objects. Rejects as `done()` does. */
  toArray(o?: StartOptions): Promise<Infer<T>[]>
  /** The plan as text, as it would start now: stages, what is fused, threads, and the rings between them. */
  explain(o?: StartOptions): string
  start(o?: StartOptions): Promise<Run<T>>
}
export function pipeline(name: string): {
  from<T extends Element>(s: Source<T> | RingBuffer<T>): Pipeline<T>
}
