// Sources and sinks.
import type { Element, Input, Instrument, MarketEvent } from './records.js'

export interface Source<T extends Element> {
  readonly type: T
  /** The market of this symbol; without one, the only or first market. */
  instrument(symbol?: string): Instrument
}
export interface Sink<T extends Element> {
  readonly accepts: T
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
