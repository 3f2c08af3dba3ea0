// Expressions: declared in TypeScript, run natively, over batches.
import type { Field, RecordType } from './records.js'

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
 * whose integer goes beyond its type, or that divides one by 0, is an error of the stage, counted. f64 is as everywhere: x / 0 is
 * an infinity or NaN, a comparison with NaN is false and `ne` true, `min`, `max` and `clamp` with NaN are NaN.
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
