import type { Element, fromIterable as FromIterable, Pace, Source } from '../../index.js'
import { checkInteger, checkOptions, checkPositive, checkString, refuse, words } from '../errors/check.js'
import { call, native } from '../native.js'
import { DIST } from '../place.js'
import { codecOf } from '../record/codec.js'
import { Instrument } from '../record/instrument.js'
import { MarketEvent } from '../record/market.js'
import { pathOf } from './path.js'
import type { PacePlan, SourcePlan } from './plan.js'

/** A source of market data that the native side makes from its plan. */
export class MarketSource implements Source<typeof MarketEvent> {
  readonly type = MarketEvent
  readonly plan: SourcePlan
  /** Ends it, as `stop()` of its run does. */
  readonly signal: AbortSignal | undefined
  readonly #instruments: () => readonly Instrument[]
  #known: readonly Instrument[] | undefined

  constructor(plan: SourcePlan, instruments: () => readonly Instrument[], signal?: AbortSignal) {
    this.plan = plan
    this.signal = signal
    this.#instruments = instruments
  }

  /** All its markets. */
  get instruments(): readonly Instrument[] {
    this.#known ??= this.#instruments()
    return this.#known
  }

  instrument(symbol?: string): Instrument {
    const known = this.instruments
    const found = symbol === undefined ? known[0] : known.find((i) => i.symbol === symbol)
    return found ?? refuse('symbol', `one of ${known.map((i) => i.symbol).join(', ')}`, symbol)
  }
}

function paceOf(pace: Pace): PacePlan {
  if (pace === 'recorded' || pace === 'max') return pace
  if (typeof pace !== 'object' || pace === null) return refuse('pace', "'recorded', 'max' or { perSecond }", pace)
  checkOptions(pace, ['perSecond'], 'pace')
  return { perSecond: checkPositive('pace.perSecond', pace.perSecond) }
}

function list<V>(field: string, values: readonly V[]): readonly V[] {
  return Array.isArray(values) ? values : refuse(field, 'an array', values)
}

export function replay(
  path: string | URL,
  o: { pace?: Pace; format?: string; symbols?: readonly string[]; instruments?: readonly Instrument[] } = {},
): MarketSource {
  checkOptions(o, ['pace', 'format', 'symbols', 'instruments'], 'replay')
  const { pace = 'max', format, symbols = [], instruments = [] } = o
  const plan: SourcePlan = {
    kind: 'replay',
    path: pathOf(path),
    pace: paceOf(pace),
    ...(format !== undefined && { format: checkString('format', format) }),
    symbols: list('symbols', symbols).map((symbol) => checkString('symbols', symbol)),
    instruments: list('instruments', instruments).map((i) =>
      i instanceof Instrument ? i.id : refuse('instruments', 'Instruments', i),
    ),
  }
  return new MarketSource(plan, () =>
    call(() => native.replayOpen(JSON.stringify(plan))).instruments.map((id) => Instrument.of(id)),
  )
}

export function poisson(o: { perSecond: number; count?: number; seed?: number; pace?: 'max' }): MarketSource {
  checkOptions(o, ['perSecond', 'count', 'seed', 'pace'], 'poisson')
  const { count, seed = 1, pace = 'recorded' } = o
  const plan: SourcePlan = {
    kind: 'poisson',
    perSecond: checkPositive('perSecond', o.perSecond),
    ...(count !== undefined && { count: checkInteger('count', count, 0) }),
    seed: checkInteger('seed', seed, 0),
    pace: paceOf(pace),
  }
  return new MarketSource(plan, () => [
    new Instrument({ symbol: 'POISSON', venue: 'poisson', tick: '0.0001', lot: '1' }),
  ])
}

/** A source of what a script's iterable gives; a run takes it from its start. */
export class IterableSource<T extends Element> implements Source<T> {
  readonly type: T
  readonly values: AsyncIterable<unknown> | Iterable<unknown>

  constructor(type: T, values: AsyncIterable<unknown> | Iterable<unknown>) {
    codecOf(type)
    const is = Object(values) as Partial<AsyncIterable<unknown> & Iterable<unknown>>
    if (typeof values === 'string' || (!is[Symbol.asyncIterator] && !is[Symbol.iterator]))
      refuse('values', 'an iterable or an async iterable', values)
    this.type = type
    this.values = values
  }

  instrument(): Instrument {
    return refuse('instrument', 'a source of market data', words('an iterable'))
  }
}

export const fromIterable: typeof FromIterable = (type, values) => new IterableSource(type, values)

/** Recorded market data that comes with the package. */
export const sample = Object.freeze({ btcusdt: new URL('../data/btcusdt-usdm-20240808.gz', DIST) })
