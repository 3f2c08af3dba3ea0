// Stages of one’s own.
import type { L2Book } from './books.js'
import type { Element, Field, Input, RecordType } from './records.js'
import type { Batch } from './rings.js'

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
      /** At the end of the run; a promise is waited for, up to 0.8 s. What it throws fails the run. */
      close?(): void | Promise<void>
    }
  },
): StageDefinition<I, O, { readonly [K in keyof P]: number }>
