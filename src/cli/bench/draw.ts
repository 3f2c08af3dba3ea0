import { type Cell, type Look, line, table } from '../table.js'
import { percent, rate, time } from '../text.js'
import type { Figures } from './measure.js'

const GIGA = 1e9
const bytes = (perSecond: number): string => `${(perSecond / GIGA).toFixed(1)} GB/s`
/** A time of some ns, with the digit that tells two of them apart. */
const nanos = (n: number): string => (n < 99.95 ? `${n.toFixed(1)}ns` : time(n))
const times = (a: number, b: number): string => `${(a / b).toFixed(2)}×`

/** Each figure of the engine beside the machine's limit. */
export function drawFigures(
  f: Figures,
  machine: { processor: string; cores: number; runtime: string },
  look: Look,
): string[] {
  const { line: words, memory, clock, ring, ringRoundTrip, expression, fourStages } = f
  const ringBytes = (ring.recordBytes / ring.nanosPerRecord) * GIGA
  const rows: Cell[][] = [
    [
      'ring, to a thread and back',
      nanos(ringRoundTrip.roundTripNanos),
      nanos(words.roundTripNanos),
      times(ringRoundTrip.roundTripNanos, words.roundTripNanos),
      'a cache line and back',
    ],
    [
      'ring, 32-byte records',
      bytes(ringBytes),
      bytes(memory.copyBytesPerSecond),
      times(ringBytes, memory.copyBytesPerSecond),
      'memory, copied',
    ],
    [
      'clock.now()',
      nanos(clock.nowNanos),
      nanos(clock.counterNanos),
      times(clock.nowNanos, clock.counterNanos),
      'a bare counter read',
    ],
    [
      'filter of three terms',
      nanos(expression.planNanos),
      nanos(expression.handNanos),
      times(expression.planNanos, expression.handNanos),
      'a loop by hand',
    ],
    ['L2Book, a level an event', nanos(f.book.updateNanos), '', '', ''],
    ['OrderBook, an update', nanos(f.orderBook.updateNanos), '', '', ''],
  ]
  const columns = [
    { title: '', isText: true },
    { title: 'engine' },
    { title: 'limit' },
    { title: 'ratio' },
    { title: 'which limit', isText: true },
  ]
  const { perSecond, at } = fourStages
  const { p50, p90, p99 } = at.endToEndNanos
  const rest = [
    `${machine.processor}, ${machine.cores} cores, ${machine.runtime}`,
    '',
    ...table(columns, rows, look),
    '',
    `a record through the ring every ${nanos(ring.nanosPerRecord)}; memory read at ${bytes(memory.readBytesPerSecond)}`,
    `four stages on one thread: ${rate(perSecond)} records/s`,
    `at ${rate(at.perSecond)} arrivals/s, end to end: p50 ${time(p50)}, p90 ${time(p90)}, p99 ${time(p99)}`,
    `the machine took ${percent(f.gaps.share)} of a core in ${f.gaps.count} gaps above 10 µs, the longest ${time(f.gaps.maxNanos)}`,
  ]
  return rest.map((text, i) => (i > 1 && i < rest.length - 4 ? text : line(text, i === 0 ? 'bold' : 'plain', look)))
}
