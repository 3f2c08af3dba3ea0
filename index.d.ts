/// <reference lib="esnext.disposable" />
/**
 * The public types of `velox-engine`. Prices and quantities are integers, ticks and lots of an {@link Instrument};
 * times are nanoseconds unless a name says otherwise. Every error is a {@link VeloxError} with a stable `code`.
 * @module
 */

// ---- records: fixed repr(C) layouts, the same bytes in Rust ---------------------------------------------------------

/** One field of a record: reads as `R`, takes `W`. Plain data, so a type travels to a worker by `postMessage`. */
export interface Field<R, W = R> {
  readonly _: (w: W) => R
}
type Wide = Field<number, number | bigint> & {
  /** The same field, read as bigint. */
  readonly big: Field<bigint, number | bigint>
}
/** Little-endian numbers of 1, 2, 4 and 8 bytes; a value out of range throws VELOX_INVALID_VALUE. */
export const u8: Field<number>
export const i8: Field<number>
export const u16: Field<number>
export const i16: Field<number>
export const u32: Field<number>
export const i32: Field<number>
export const f32: Field<number>
export const f64: Field<number>
/** One byte. */
export const bool: Field<boolean>
/** 64-bit integers read as number; a value beyond 2^53 throws VELOX_UNSAFE_INTEGER on read. `.big` never throws. */
export const u64: Wide
export const i64: Wide
type Nanos = Field<bigint, number | bigint> & { readonly nanos: true }
/** Epoch or monotonic nanoseconds (unsigned): bigint in objects; batches also give `field.micros(i): number`. */
export const nanos: Nanos
/** One byte: 0 bid, 1 ask. */
export const side: Field<Side>
/** Well-formed UTF-8 of at most `maxBytes` bytes (1 to 65,533), kept with its length: longer text is refused, never cut. */
export function text(maxBytes: number): Field<string>

/** So many bytes: a `Uint8Array` of exactly that length (1 to 65,536). What is read is a copy. */
export function bytes(length: number): Field<Uint8Array>
/**
 * `length` values of one type (1 to 65,536), a record or a field, one behind the other as in Rust's `[T; N]`.
 *
 * ```ts
 * const Depth = record('Depth', { time: nanos, bids: array(record('Level', { price: i64, qty: i64 }), 10) })
 * ```
 */
export function array<T extends Element>(of: T, length: number): Field<readonly Infer<T>[], readonly Input<T>[]>

// biome-ignore lint/suspicious/noExplicitAny: a constraint over fields of any type
export type Fields = Readonly<Record<string, Field<any, any>>>
export interface RecordType<F extends Fields = Fields> {
  readonly name: string
  readonly fields: F
  readonly byteLength: number
}
// biome-ignore lint/suspicious/noExplicitAny: a constraint over records and fields of any type
export type Element = RecordType<any> | Field<any, any>
/** What reading a `T` gives. */
export type Infer<T> =
  T extends RecordType<infer F>
    ? // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
      { readonly [K in keyof F]: F[K] extends Field<infer R, any> ? R : never }
    : // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
      T extends Field<infer R, any>
      ? R
      : never
/** What writing a `T` takes. */
export type Input<T> =
  T extends RecordType<infer F>
    ? // biome-ignore lint/suspicious/noExplicitAny: the read type doesn't matter to a writer
      { readonly [K in keyof F]: F[K] extends Field<any, infer W> ? W : never }
    : // biome-ignore lint/suspicious/noExplicitAny: the read type doesn't matter to a writer
      T extends Field<any, infer W>
      ? W
      : never
/**
 * Declares a record. Fields lie in the given order at their natural alignment, as in Rust's `repr(C)`.
 *
 * ```ts
 * const MarketData = record('MarketData', { symbol: u32, price: f64, volume: u64, timestamp: u64.big })
 * ```
 */
export function record<const F extends Fields>(
  name: string,
  fields: F & { [K in Extract<keyof F, 'length' | 'at' | 'toArray' | 'push' | 'room'>]: never },
): RecordType<F>

export const Side: { readonly bid: 'bid'; readonly ask: 'ask' }
export type Side = 'bid' | 'ask'
/** 32 bytes: id u64, price i64, size u32, side u8, pad, instrument u16, ingress_ts_ns u64. */
export const Transaction: RecordType<{
  id: typeof u64
  price: typeof i64
  size: typeof u32
  side: typeof side
  instrument: typeof u16
  ingressTsNs: typeof nanos
}>
/** One cache line. A level sets `qty` at `price`, or removes it at 0. */
export const MarketEvent: RecordType<{
  kind: Field<'level' | 'trade' | 'quote' | 'status'>
  instrument: typeof u16
  side: typeof side
  flags: typeof u8
  price: typeof i64
  qty: typeof i64
  sequence: typeof u64
  exchangeTs: typeof nanos
  receiveTs: typeof nanos
}>
/** 48 bytes. `side` is the aggressor's. */
export const Trade: RecordType<{
  id: typeof u64
  instrument: typeof u16
  side: typeof side
  price: typeof i64
  qty: typeof i64
  exchangeTs: typeof nanos
  receiveTs: typeof nanos
}>
/** Up to 16 transactions, 528 bytes. Writing takes `count` equal to `transactions.length`. */
export const Bundle: RecordType<{
  transactions: Field<readonly Infer<typeof Transaction>[], readonly Input<typeof Transaction>[]>
  count: typeof u32
  createdTsNs: typeof nanos
}>

/**
 * What a price and a quantity of one market mean: integers in the engine, decimals at the edge. The same symbol, venue,
 * tick and lot have the same `id` in every thread of the process, which knows at most 65,535.
 *
 * ```ts
 * const btc = new Instrument({ symbol: 'BTCUSDT', tick: '0.10', lot: '0.001' })
 * btc.price('61800.30') // 618003
 * btc.formatPrice(618003) // '61800.30'
 * ```
 */
export class Instrument {
  constructor(o: { symbol: string; venue?: string; tick: string; lot: string })
  readonly id: number
  readonly symbol: string
  readonly venue: string
  readonly tick: string
  readonly lot: string
  /** Ticks of a decimal text, exactly: a text finer than the tick throws VELOX_INVALID_VALUE. */
  price(decimal: string): number
  formatPrice(ticks: number): string
  /** Lots of a decimal text, exactly. */
  qty(decimal: string): number
  formatQty(lots: number): string
}

// ---- rings ----------------------------------------------------------------------------------------------------------

/**
 * Records in place. Valid inside the callback that got it; later reads throw VELOX_STALE_BATCH. `batch.price(i)` reads one
 * field of record `i` and makes no object.
 */
export type Batch<T> = {
  readonly length: number
  toArray(): Infer<T>[]
  at(i: number): Infer<T>
} & (T extends RecordType<infer F>
  ? {
      // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
      readonly [K in keyof F]: ((i: number) => F[K] extends Field<infer R, any> ? R : never) &
        (F[K] extends Nanos ? { micros(i: number): number } : unknown)
    }
  : unknown)
/** What `share()` gives: send it to a worker by `postMessage` or `workerData`, and `attach` there. */
export interface SharedRing<T extends Element> {
  readonly type: T
}
/**
 * A lock-free ring for one producer and one consumer, on one thread or two, JavaScript or native. The first `push` makes its
 * handle the producer, the first read the consumer; another handle on the same side gets VELOX_RING_OWNED.
 *
 * ```ts
 * const ring = new RingBuffer(text(64), 1024)
 * ring.push('hello')
 * ring.pop() // 'hello'
 * ```
 */
export class RingBuffer<T extends Element> implements Disposable {
  /** @param capacity a power of two from 2 to 2^30, else VELOX_INVALID_CAPACITY. */
  constructor(type: T, capacity: number)
  /** false when full: nothing is lost. A value that doesn't fit its type throws, and nothing is pushed. */
  push(value: Input<T>): boolean
  /** undefined when empty. A record that can't be read as its type throws and stays; `drain(() => {}, 1)` skips it. */
  pop(): Infer<T> | undefined
  /** How many were taken, from `from` on; published at once. If one of them is refused, none is pushed. */
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  popMany(max: number): Infer<T>[]
  /**
   * Writes up to `max` free slots in place, and publishes as many as the callback says, from the first on. `w.price(i, v)` sets a
   * field of slot `i`; `w.push(value)` writes whole slots, from the first on. What a slot isn't given keeps what stood there. 0 when full: the callback
   * isn't called then. If it throws, nothing is published.
   *
   * ```ts
   * ring.fill(256, (w) => {
   *   const count = Math.min(w.room, prices.length)
   *   for (let i = 0; i < count; i++) w.price(i, prices[i])
   *   return count
   * })
   * ```
   */
  fill(max: number, write: (w: Writer<T>) => number): number
  /** Reads up to `max` records in place; says how many. If the callback throws, nothing is consumed. */
  drain(read: (batch: Batch<T>) => void, max?: number): number
  /**
   * The same, and waits for the first record up to `timeoutMicros`: 0 when none came, or when the ring is closed and empty. It
   * blocks, so it is for workers alone. A script that pushes wakes it; native code is looked for once a millisecond.
   */
  drainWait(read: (batch: Batch<T>) => void, o: { timeoutMicros: number; max?: number }): number
  /**
   * Batches as they come, each valid until the next is asked for, which counts it as read, as leaving the loop does. Ends when the
   * ring is closed and empty, or at the signal. The event loop is free while it waits.
   */
  batches(o?: { signal?: AbortSignal | undefined; max?: number }): AsyncIterable<Batch<T>>
  readonly capacity: number
  readonly length: number
  readonly isEmpty: boolean
  readonly isFull: boolean
  readonly isClosed: boolean
  share(): SharedRing<T>
  /** The same ring in another thread. VELOX_RING_MISMATCH if it holds another type. */
  static attach<T extends Element>(type: T, shared: SharedRing<T>): RingBuffer<T>
  /** Gives up what this handle claimed, for another handle to take. */
  release(side?: 'producer' | 'consumer'): void
  /** Ends the ring for both sides: `push` throws VELOX_RING_CLOSED, what is left can still be read. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * A ring of which each of several consumers sees every record; the one that is furthest behind holds up the producer. JavaScript
 * ends only. A handle that reads takes one of the ring's seats, and each seat counts from the beginning, taken or not.
 *
 * ```ts
 * const ring = new BroadcastRing(u32, 1024, 2)
 * const other = BroadcastRing.attach(u32, ring.share()) // in another worker
 * ring.push(7)
 * ring.pop() // 7
 * other.pop() // 7
 * ```
 */
export class BroadcastRing<T extends Element> implements Disposable {
  /** @param consumers how many there are: 1 to 64. */
  constructor(type: T, capacity: number, consumers: number)
  /** false while the slowest consumer has a whole ring before it. */
  push(value: Input<T>): boolean
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  fill(max: number, write: (w: Writer<T>) => number): number
  /** This handle's next record. VELOX_RING_OWNED where every seat is another's. */
  pop(): Infer<T> | undefined
  popMany(max: number): Infer<T>[]
  drain(read: (batch: Batch<T>) => void, max?: number): number
  readonly capacity: number
  readonly consumers: number
  /** How many records wait for this handle. */
  readonly length: number
  readonly isClosed: boolean
  share(): SharedRing<T>
  static attach<T extends Element>(type: T, shared: SharedRing<T>): BroadcastRing<T>
  /** Gives up what this handle claimed; its seat goes on holding up the producer, and another handle may take it. */
  release(): void
  /** Gives up this handle's seat for good: the producer goes on without it. */
  leave(): void
  close(): void
  [Symbol.dispose](): void
}
/** A ring that any number of handles push into, and one reads from. JavaScript ends only. */
export class MpscRing<T extends Element> implements Disposable {
  constructor(type: T, capacity: number)
  /** false when full. Records of one handle come in its order. */
  push(value: Input<T>): boolean
  pushMany(values: ArrayLike<Input<T>>, from?: number): number
  pop(): Infer<T> | undefined
  popMany(max: number): Infer<T>[]
  drain(read: (batch: Batch<T>) => void, max?: number): number
  readonly capacity: number
  /** How many wait, those counted that are being written. */
  readonly length: number
  readonly isEmpty: boolean
  readonly isClosed: boolean
  share(): SharedRing<T>
  static attach<T extends Element>(type: T, shared: SharedRing<T>): MpscRing<T>
  /** Gives up the consumer's side, where it is this handle's. */
  release(): void
  close(): void
  [Symbol.dispose](): void
}
/**
 * A ring that never refuses: what is pushed writes over the oldest. One handle pushes, any number read, each on its own.
 * JavaScript ends only; each 4 bytes of a record cost an atomic access, some 10 ns.
 *
 * ```ts
 * const ring = new LatestRing(u32, 4)
 * for (let n = 0; n < 10; n++) ring.push(n)
 * ring.pop() // 6
 * ring.missed // 6
 * ```
 */
export class LatestRing<T extends Element> implements Disposable {
  constructor(type: T, capacity: number)
  push(value: Input<T>): void
  /** The oldest record that is still there and that this handle hasn't read. */
  pop(): Infer<T> | undefined
  readonly capacity: number
  /** How many records were written over before this handle got to them. */
  readonly missed: number
  readonly isClosed: boolean
  share(): SharedRing<T>
  /** Reads from the oldest record on that is there now. */
  static attach<T extends Element>(type: T, shared: SharedRing<T>): LatestRing<T>
  /** Gives up the producer's side, where it is this handle's. */
  release(): void
  close(): void
  [Symbol.dispose](): void
}

// ---- clock ----------------------------------------------------------------------------------------------------------

/** Waits for what is missing of the clock's 50 ms baseline since the package was loaded, once. */
export function initTsc(): void
/** The processor's time counter, raw. Never waits. */
export function rdtsc(): bigint
/** Nanoseconds of a counter value or difference. The ratio is frozen at calibration: absolute values never step. */
export function tscToNs(ticks: bigint): bigint
export const clock: {
  /** ns on the `tscToNs` timeline. */
  now(): bigint
  /** ns since the clock started: for durations. */
  nanos(): number
  /** Epoch ns of an instant of `now()`. Follows the OS clock, never backwards. */
  toEpochNanos(ns: bigint): bigint
  readonly calibration: {
    readonly ticksPerNano: number
    readonly errorPpm: number
    readonly source: 'tsc' | 'cntvct' | 'os'
  }
}

// ---- books ----------------------------------------------------------------------------------------------------------

export interface Level {
  readonly price: number
  readonly qty: number
}
export interface Top {
  readonly bid: number
  readonly bidQty: number
  readonly ask: number
  readonly askQty: number
  readonly sequence: number
}
/**
 * A book of many writers: updates add to what stands at a price. Exact for any price, and lock-free: a writer tries a quantity
 * 20 times against others on the same price (some 5 ms). A thrown VELOX_BOOK_CONTENDED means: not applied. `bestBid` and
 * `bestAsk` are two reads. Where one thread writes, as for an exchange's feed, `L2Book` is several times as fast.
 */
export class OrderBook {
  /** `tickShift`: `depth()` in groups of 2^tickShift ticks (0 to 52); the best prices stay what they are. */
  constructor(o?: { instrument?: Instrument; tickShift?: number })
  updateBid(price: number, delta: number, timestamp: number | bigint): void
  updateAsk(price: number, delta: number, timestamp: number | bigint): void
  setBid(price: number, qty: number, timestamp: number | bigint): void
  setAsk(price: number, qty: number, timestamp: number | bigint): void
  bestBid(): number | undefined
  bestAsk(): number | undefined
  /** Ask less bid: negative while the book is crossed, undefined while a side is empty. */
  spread(): number | undefined
  qtyAt(side: Side, price: number): number
  depth(levels: number): { bids: Level[]; asks: Level[] }
  share(): SharedBook
  /** The same book in another thread, as long as somebody holds it: VELOX_INVALID_VALUE where nobody does. */
  static attach(shared: SharedBook): OrderBook
}
/** What `share()` gives: send it to a worker by `postMessage` or `workerData`, and `attach` there. */
export interface SharedBook {
  readonly instrument?: Instrument
}
/**
 * A book of one writer and any readers: quantities are set, not added, and a reader sees one consistent instant per exchange
 * event. The first change makes its handle the writer, also among those of `attach()`; any other one gets VELOX_BOOK_OWNED until
 * `release()`, the end of its thread or its collection. A pipeline that gets the writer's handle writes until its run ends.
 */
export class L2Book {
  constructor(o: { instrument: Instrument })
  readonly instrument: Instrument
  /** Whether the best bid is at or above the best ask. Reported, never repaired. */
  readonly crossed: boolean
  /**
   * `stale` after a gap in the data, until the next snapshot, and once a live market or a run that failed feeds it no more:
   * `top()` is undefined then.
   */
  readonly state: 'empty' | 'live' | 'stale'
  /** Replaces the book by decimals as an exchange sends them: `[price, qty]`. */
  applySnapshot(s: {
    bids: ArrayLike<readonly [string, string]>
    asks: ArrayLike<readonly [string, string]>
    sequence: number
  }): void
  set(side: Side, price: number, qty: number): void
  /** undefined until both sides have a level, and while the book is stale. */
  top(): Top | undefined
  depth(levels: number): { bids: Level[]; asks: Level[] }
  /** All levels of one event at one instant: set when qty > 0, removed at 0. If one is refused, none is applied. */
  apply(levels: ArrayLike<{ side: Side; price: number; qty: number }>, sequence: number): void
  qtyAt(side: Side, price: number): number
  /** Average price, in ticks, of taking `qty` lots from a side; undefined when it holds less. */
  vwap(side: Side, qty: number): number | undefined
  /** (bids − asks) ÷ (bids + asks) over the best `levels`: −1 to 1; undefined while both are empty. */
  imbalance(levels: number): number | undefined
  /** Gives up being the writer, for another handle to become it with its next change. */
  release(): void
  share(): SharedBook
  /** The same book in another thread, as long as somebody holds it: VELOX_INVALID_VALUE where nobody does. */
  static attach(shared: SharedBook): L2Book
}

// ---- bundles --------------------------------------------------------------------------------------------------------

/** Closes a bundle at `max` transactions (default 16, 1 to 16) or `timeoutMicros` after its first (default 100). */
export class BundleBuilder {
  constructor(o?: { max?: number; timeoutMicros?: number })
  /** false: not taken (the ring is full); try again. The builder is the ring's producer. */
  add(t: Input<typeof Transaction>, to: RingBuffer<typeof Bundle>): boolean
  /** Whether the open bundle is older than the time-out. */
  shouldFlushTimeout(): boolean
  forceFlush(to: RingBuffer<typeof Bundle>): 'flushed' | 'empty' | 'full'
  /** Transactions in the open bundle. */
  readonly length: number
}
export function activeTransactions(b: Infer<typeof Bundle>): readonly Infer<typeof Transaction>[]

// ---- expressions: declared in TypeScript, run natively, over batches -------------------------------------------------

/**
 * A string is a decimal at the scale of the source's market ('95.00'; refused where there are several); a number or a bigint
 * is raw ticks or lots.
 */
export type Num = NumExpr | number | bigint | `${number}` | Param
export interface BoolExpr {
  and(...o: BoolExpr[]): BoolExpr
  or(...o: BoolExpr[]): BoolExpr
  not(): BoolExpr
}
/**
 * Integers stay exact: a fraction beside them is refused; `mulDiv(101, 100)` takes a share, `toF64()` leaves them. A record
 * whose number goes beyond its type, or that divides by 0, is an error of the stage, counted. Comparisons with NaN are false.
 */
export interface NumExpr {
  add(o: Num): NumExpr
  sub(o: Num): NumExpr
  mul(o: Num): NumExpr
  /** Of integers: toward zero. */
  div(o: Num): NumExpr
  /** This × m ÷ d, exact in between. */
  mulDiv(m: Num, d: Num): NumExpr
  abs(): NumExpr
  neg(): NumExpr
  min(o: Num): NumExpr
  max(o: Num): NumExpr
  clamp(a: Num, b: Num): NumExpr
  toF64(): NumExpr
  eq(o: Num): BoolExpr
  ne(o: Num): BoolExpr
  lt(o: Num): BoolExpr
  le(o: Num): BoolExpr
  gt(o: Num): BoolExpr
  ge(o: Num): BoolExpr
  between(a: Num, b: Num): BoolExpr
  in(o: readonly Num[]): BoolExpr
  /** The value on the record before: comparisons with it are false on the first. */
  prev(): NumExpr
  /** After `prev()`: on the record before with the same key, a number, a name or a truth value. More keys than `maxKeys` (1,024) are an error of the record. */
  over(key: NumExpr | EnumExpr<string> | BoolExpr, o?: { maxKeys: number }): NumExpr
}
export interface EnumExpr<V> {
  eq(v: V): BoolExpr
  ne(v: V): BoolExpr
  in(v: readonly V[]): BoolExpr
}
type Column<R> = [R] extends [boolean]
  ? BoolExpr
  : [R] extends [number | bigint]
    ? NumExpr
    : [R] extends [string]
      ? EnumExpr<R>
      : never
/** The fields of a record, as expressions. */
export type Columns<T> =
  T extends RecordType<infer F>
    ? // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
      { readonly [K in keyof F]: F[K] extends Field<infer R, any> ? Column<R> : never }
    : never
type Into<R> = [R] extends [boolean]
  ? BoolExpr | boolean
  : [R] extends [number | bigint]
    ? Num
    : [R] extends [string]
      ? EnumExpr<R> | R
      : never
/** What `map` makes a record of: an expression or a value for each of its fields. */
export type Mapped<O extends RecordType> = {
  // biome-ignore lint/suspicious/noExplicitAny: the written type doesn't matter to a reader
  readonly [K in keyof O['fields']]: O['fields'][K] extends Field<infer R, any> ? Into<R> : never
}
/**
 * The books before a step, by the names of their steps; `book` is the nearest. An expression sees each book as it was at
 * the instant of its record, however records are cut into batches; books from beyond a `merge` are not seen.
 */
export interface Context<B extends string = string> {
  readonly book: BookExpr
  readonly books: Readonly<Record<B, BookExpr>>
}
/** Values of a book, in ticks. None has a value while the book has no top: comparisons are false then. */
export interface BookExpr {
  /** Halfway between bid and ask, an f64. */
  readonly mid: NumExpr
  readonly spread: NumExpr
  readonly bid: NumExpr
  readonly ask: NumExpr
  /** (bids − asks) ÷ (bids + asks) over the best `levels`, an f64: −1 to 1. */
  imbalance(levels: number): NumExpr
}
/** A number that can be set while a run goes: `run.params.set(p, value)`. */
export interface Param<V = number> {
  readonly name: string
  readonly initial: V
}
/**
 * Declares a parameter for expressions. Each step sees one value for a whole batch; the report lists what changed, and at
 * which of its records each step saw it.
 *
 * ```ts
 * const tilt = param('tilt', 0.3)
 * // … .filter((t, { book }) => book.imbalance(5).gt(tilt)) … run.params.set(tilt, 0.5)
 * ```
 */
export function param(name: string, initial: number): Param
/** `value` where the condition holds, else what `otherwise` says. */
export function when(c: BoolExpr, value: Num): { otherwise(v: Num): NumExpr }

// ---- pipelines ------------------------------------------------------------------------------------------------------

export interface Source<T extends Element> {
  readonly type: T
  /** The market of this symbol; without one, the only or first market. */
  instrument(symbol?: string): Instrument
}
export interface Sink<T extends Element> {
  readonly accepts: T
}
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
 * Records written in place, for the length of one `poll`: by `push`, or field by field from record 0 on. Or, where input and
 * output are one type, records of the batch that pass as they are: by `keep`. For one batch it is one or the other.
 */
export type Writer<T> = {
  /** false when there is no room: for each batch of a stage there is room for four times the records that a batch may have. */
  push(r: Input<T>): boolean
  readonly room: number
} & (T extends RecordType<infer F>
  ? {
      // biome-ignore lint/suspicious/noExplicitAny: the read type doesn't matter to a writer
      readonly [K in keyof F]: (i: number, v: F[K] extends Field<any, infer W> ? W : never) => void
    }
  : unknown)
/** What a stage writes to. */
export type StageWriter<T> = Writer<T> & {
  /**
   * Passes record `i` of the batch on as it is; ascending. Copies nothing in JavaScript and makes no object. A filter hands
   * its condition over instead of asking `if`: what the processor can't foretell costs it more than the rest. Only `false` holds a record back.
   */
  keep(i: number, passes?: boolean): void
}
export interface StageDefinition<I extends Element, O extends Element, P> {
  readonly input: I
  readonly output: O
  readonly params: P
}
/**
 * A stage of your own: the default export of a module of its own. It runs in a worker, in the loop of the native stages
 * around it: between two native calls it reads a batch in place and writes one in place. Records of up to 128 bytes.
 *
 * ```ts
 * export default defineStage(import.meta, {
 *   input: Trade, output: Trade, params: { least: 5 },
 *   open: ({ params }) => ({
 *     poll(batch, out) {
 *       for (let i = 0; i < batch.length; i++) out.keep(i, batch.qty(i) >= params.least)
 *       return undefined
 *     },
 *   }),
 * })
 * ```
 */
export function defineStage<
  I extends Element,
  O extends Element,
  // biome-ignore lint/complexity/noBannedTypes: no parameters
  const P extends Readonly<Record<string, number>> = {},
>(
  meta: ImportMeta,
  d: {
    input: I
    output: O
    params?: P
    open(x: {
      readonly params: { readonly [K in keyof P]: number }
      /** The books of the pipeline by the names of their steps. */
      readonly books: Readonly<Record<string, L2Book>>
    }): {
      /** Synchronous. Returns nothing, or, when input and output are one type, the ascending indices that pass. */
      poll(batch: Batch<I>, out: StageWriter<O>): undefined | Uint32Array
      close?(): void
    }
  },
): StageDefinition<I, O, { readonly [K in keyof P]: number }>
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
   * which a field has no value, or one that the field can't hold, is an error of the step, counted.
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
  /** The plan as text: stages, what is fused, threads, and the rings between them. */
  explain(o?: StartOptions): string
  start(o?: StartOptions): Promise<Run<T>>
}
/**
 * How a thread waits for work. `spin`: never sleeps, takes a core. `yield`: gives the core away between looks. `backoff`
 * (default): spins, yields, then sleeps up to 1 ms, and wakes ahead of a scheduled arrival. `block`: sleeps until woken.
 */
export type Wait = 'spin' | 'yield' | 'backoff' | 'block'
export interface StartOptions {
  /** Where stages run: `auto` fuses all on one thread; a number cuts the chain evenly; a list names the stages of each. */
  threads?: 'auto' | number | readonly { core?: number; stages: readonly string[]; wait?: Wait }[]
  wait?: Wait
  /**
   * Whether latencies are measured, and told to other processes of this user. Default: true. Without, the accounts are kept
   * all the same.
   */
  metrics?: boolean
  /** Ends the source; everything on the way arrives. */
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
    readonly capacity?: number
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
   * before awaiting `stop()`: the run waits for the reader that it was called by.
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
  readonly state: 'idle' | 'connecting' | 'connected' | 'ended'
  /** Messages and bytes received, and the events that they gave. */
  readonly messages: number
  readonly bytes: number
  readonly events: number
  /** Connections that were made, the first one too. */
  readonly connections: number
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
   * latency with a hiccup as long beside it is the machine's.
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
  /** Parameters that were set while the run went: which step saw it, and how many records it had taken before. */
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
export function pipeline(name: string): {
  from<T extends Element>(s: Source<T> | RingBuffer<T>): Pipeline<T>
}
/** `recorded`: as the data was received; `max` (default of `replay`): as fast as it goes; or so many messages (arrivals) a second. */
export type Pace = 'recorded' | 'max' | { perSecond: number }
/**
 * A recorded file, streamed, plain or packed by gzip or zstd: format 'binance' (lines), 'messages' (a recorded connection),
 * 'capture' (raw captures of cryptofeed), 'velox' (what `toFile` wrote) or 'dbn' (Databento's DBN 1 to 3 and DBZ with the schema
 * mbp-1, mbp-10 or trades); known by its first bytes where no format says.
 * Instruments not given take the venue's table of decimals (8 where unknown); a '.velox' file has its own, and those given
 * must have the same tick and lot; of 'dbn' a tick is 0.000000001 and a lot 1, as the file counts, and the venue its data set.
 *
 * Of 'dbn' a record is a message. A book holds the best 1 or 10 levels of a side that the last record of an exchange event
 * shows. A trade without an aggressor is left out and counted. There are no quotes to verify a book by.
 *
 * Replays of one run whose pace is 'recorded' share one timeline: the earliest record of all is let go first, and what another
 * file has so much later so much later, though its market were declared first.
 *
 * VELOX_FILE_NOT_FOUND, VELOX_UNKNOWN_FORMAT and VELOX_CORRUPT_DATA (file, line or record, what was expected) come at the
 * first use.
 */
export function replay(
  path: string | URL,
  o?: { pace?: Pace; format?: string; symbols?: readonly string[]; instruments?: readonly Instrument[] },
): Source<typeof MarketEvent>
/**
 * Random arrivals at a mean rate. Each is one level event (prices walk ≥ 1,000 ticks on both sides, ≥ 30 % deletions) and
 * one trade. Four decimals. The same seed gives the same arrivals.
 */
export function poisson(o: {
  perSecond: number
  count?: number
  seed?: number
  pace?: 'max'
}): Source<typeof MarketEvent>
/** What an iterable gives, as the event loop gets to it. What it throws fails the run. An iterator is for one start. */
export function fromIterable<T extends Element>(
  type: T,
  values: AsyncIterable<Input<T>> | Iterable<Input<T>>,
): Source<T>
// biome-ignore lint/suspicious/noExplicitAny: a sink that takes every type
type AnySink = Sink<any>
/** Counts what arrives. */
export function count(name?: string): AnySink
/** Lets everything go. */
export function discard(): AnySink
/**
 * A file of what arrives, made anew when the run goes and complete on the disk when it is done.
 *
 * '.csv': a line of the fields' names, then one a record. Integers as they are (ticks, lots, ns), sides and enumerations by
 * name, the instrument of a MarketEvent, Trade or Transaction as its venue and its symbol; of a Bundle one line a
 * transaction: the bundle's number, its createdTsNs, the transaction's fields.
 *
 * '.velox': binary, of any record; `replay` reads one of MarketEvent back, with its instruments. Events with the same
 * receiveTs are one arrival then. One that was cut off gives its whole blocks, then VELOX_CORRUPT_DATA.
 *
 * VELOX_FILE_UNWRITABLE comes from `start` where it can't be opened, and fails the run where it can't be written.
 */
export function toFile(path: string | URL): AnySink
/** Recorded market data that comes with the package. */
export const sample: { readonly btcusdt: URL }

// ---- metrics --------------------------------------------------------------------------------------------------------

export interface MetricsSnapshot {
  readonly processed: number
  readonly errors: number
  readonly dropped: number
  readonly avgLatencyNs: number
  readonly minLatencyNs: number
  readonly maxLatencyNs: number
  readonly p50LatencyNs: number
  readonly p99LatencyNs: number
  readonly p999LatencyNs: number
  /** Writes the document's lines to standard output, as Rust writes them. */
  print(stage: string): void
}
/** Where snapshots go: see `velox-engine/metrics` for some that there are. */
export interface Exporter {
  export(name: string, s: MetricsSnapshot): void | Promise<void>
}
/**
 * Exports metrics every `everyMillis` (1,000), and once at close; of a run each of its stages, `dropped` being what found no room
 * before it. It doesn't keep the process alive. An exporter that throws or rejects is told once by a process warning
 * (VELOX_EXPORT_FAILED) and tried again; `close()` rejects with what the last export failed of. One that is slower than its
 * turns is waited for, and the turns between are left out.
 *
 * ```ts
 * const reporter = report([metrics], { export: (name, snapshot) => snapshot.print(name) })
 * // …
 * await reporter.close()
 * ```
 */
export function report(
  // biome-ignore lint/suspicious/noExplicitAny: a run of any type
  of: readonly StageMetrics[] | Run<any>,
  to: Exporter,
  o?: { everyMillis?: number },
): AsyncDisposable & { close(): Promise<void> }
/**
 * Transactions, their mean latency, and drops, as text that Prometheus reads. Counted natively, without a lock.
 *
 * ```ts
 * const metrics = new PrometheusMetrics()
 * metrics.recordTransaction(1_500)
 * metrics.export() // '# HELP velox_transactions_total …'
 * ```
 */
export class PrometheusMetrics {
  constructor()
  recordTransaction(latencyNanos: number | bigint): void
  recordDrop(): void
  export(): string
}
/** Counters and a latency histogram (1 ns to 60 s, 2 digits) of a stage of your own. */
export class StageMetrics {
  constructor(name: string)
  readonly name: string
  recordProcessing(latencyNanos: number | bigint): void
  recordError(): void
  recordDrop(): void
  /** All latencies are 0 before the first record. */
  snapshot(): MetricsSnapshot
}

// ---- errors ---------------------------------------------------------------------------------------------------------

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
  VELOX_FILE_NOT_FOUND: { path: string }
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
  VELOX_STAGE_FAILED: { stage: string }
  VELOX_RUN_ABORTED: { reason: string }
  VELOX_NATIVE_PANIC: { message: string }
  VELOX_NATIVE_MISSING: { platform: string; tried: readonly string[] }
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
