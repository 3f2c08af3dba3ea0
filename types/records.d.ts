// Records: fixed repr(C) layouts, the same bytes in Rust.

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
