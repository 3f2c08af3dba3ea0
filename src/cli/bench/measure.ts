import type { Percentiles, Report } from '../../../index.js'
import { L2Book } from '../../book/l2-book.js'
import { call, native } from '../../native.js'
import { pipeline } from '../../pipeline/pipeline.js'
import { count } from '../../pipeline/sinks.js'
import { poisson } from '../../pipeline/sources.js'

/** Numbers by name, as the native side gives them: see `velox_bench::measure`. */
export interface Figures {
  readonly line: { readonly roundTripNanos: number }
  readonly memory: { readonly readBytesPerSecond: number; readonly copyBytesPerSecond: number }
  readonly clock: { readonly counterNanos: number; readonly nowNanos: number; readonly systemNanos: number }
  readonly gaps: { readonly count: number; readonly share: number; readonly maxNanos: number }
  readonly ring: { readonly nanosPerRecord: number; readonly recordBytes: number }
  readonly ringRoundTrip: { readonly roundTripNanos: number }
  readonly book: { readonly updateNanos: number }
  readonly orderBook: { readonly updateNanos: number }
  readonly expression: { readonly planNanos: number; readonly handNanos: number }
  /** Source, book, transactions and bundles on one thread, as fast as it goes, and at a rate. */
  readonly fourStages: {
    readonly perSecond: number
    readonly at: { readonly perSecond: number; readonly endToEndNanos: Percentiles }
  }
}

export type Name = keyof Figures
export const NATIVE = [
  'line',
  'memory',
  'clock',
  'gaps',
  'ring',
  'ringRoundTrip',
  'book',
  'orderBook',
  'expression',
] as const satisfies readonly Name[]

const RATE = 100_000

async function fourStages(o: { perSecond: number; pace?: 'max' }, seconds: number): Promise<Report> {
  const market = poisson(o)
  const run = await pipeline('bench')
    .from(market)
    .book(new L2Book({ instrument: market.instrument() }))
    .trades()
    .transactions()
    .bundle()
    .to(count('output'))
    .start({ wait: 'spin', stopOn: AbortSignal.timeout(Math.ceil(seconds * 1000)) })
  return run.done()
}

/** Measures everything within about so many seconds; `tell` hears what is next. */
export async function measure(seconds: number, tell: (name: Name) => void): Promise<Figures> {
  const each = seconds / (NATIVE.length + 3)
  const found = NATIVE.map((name) => {
    tell(name)
    return [name, JSON.parse(call(() => native.benchRun(name, Math.ceil(each * 1000))))] as const
  })
  tell('fourStages')
  const most = await fourStages({ perSecond: 1e6, pace: 'max' }, each)
  const paced = await fourStages({ perSecond: RATE }, 2 * each)
  const { endToEndNanos } = paced
  const at = { perSecond: RATE, endToEndNanos: endToEndNanos as Percentiles }
  return { ...Object.fromEntries(found), fourStages: { perSecond: most.perSecond, at } } as Figures
}
