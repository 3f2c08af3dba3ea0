import type {
  BoolExpr,
  Columns,
  Element,
  Pipeline as Face,
  L2Book as L2BookFace,
  RingBuffer as RingFace,
  Run as RunFace,
  Sink,
  Source,
  StageDefinition,
  StartOptions,
  StepOptions,
} from '../../index.js'
import { L2Book } from '../book/l2-book.js'
import { checkInteger, checkName, checkOptions, describe, refuse } from '../errors/check.js'
import { columnsOf } from '../expression/columns.js'
import { conditionOf } from '../expression/expression.js'
import { Bundle } from '../record/bundle.js'
import { MarketEvent, Trade } from '../record/market.js'
import { Transaction } from '../record/transaction.js'
import { typeKey } from '../record/type-key.js'
import { ringSlot } from '../ring/native-ring.js'
import { internals, RingBuffer } from '../ring/ring-buffer.js'
import { checkParam, isStage } from '../stage/define-stage.js'
import type { SourcePlan, StepPlan } from './plan.js'
import { CountSink } from './sinks.js'
import { MarketSource } from './sources.js'
import { start } from './start.js'

const STEP = ['name']

/** A chain of steps as data. Native objects are named by their slots, and kept alive by `objects`. */
export class Pipeline<T extends Element> {
  readonly type: T
  readonly #name: string
  readonly #source: SourcePlan
  readonly #steps: readonly StepPlan[]
  readonly #objects: readonly object[]

  constructor(name: string, type: T, source: SourcePlan, steps: readonly StepPlan[], objects: readonly object[]) {
    this.#name = name
    this.type = type
    this.#source = source
    this.#steps = steps
    this.#objects = objects
  }

  #then<O extends Element>(type: O, step: StepPlan, ...objects: object[]): Pipeline<O> {
    return new Pipeline(
      this.#name,
      type,
      this.#source,
      [...this.#steps, { ...step, name: this.#free(step.name) }],
      [...this.#objects, ...objects],
    )
  }

  /** Types are gone at run time: JavaScript learns here that a step doesn't fit, before anything starts. */
  #expect(step: string, type: Element): void {
    if (this.type !== type)
      refuse('pipeline', `${nameOf(type)} records before ${step}()`, `${nameOf(this.type)} records`)
    if (this.#ended) refuse('pipeline', `no step after to()`, `${step}()`)
  }

  get #ended(): boolean {
    const last = this.#steps.at(-1)?.kind
    return last === 'count' || last === 'ring'
  }

  book(book: L2BookFace, o: StepOptions & { verify?: 'quotes' } = {}): Pipeline<typeof MarketEvent> {
    this.#expect('book', MarketEvent)
    checkOptions(o, ['name', 'verify'], 'book')
    if (!(book instanceof L2Book)) refuse('book', 'an L2Book', book)
    if (o.verify !== undefined && o.verify !== 'quotes') refuse('verify', "'quotes'", o.verify)
    const step = { name: nameFor(o, 'book'), book: L2Book.slotOf(book), verify: o.verify === 'quotes' }
    return this.#then(MarketEvent, { kind: 'book', ...step }, book)
  }

  trades(o: StepOptions = {}): Pipeline<typeof Trade> {
    this.#expect('trades', MarketEvent)
    checkOptions(o, STEP, 'trades')
    return this.#then(Trade, { kind: 'trades', name: nameFor(o, 'trades') })
  }

  transactions(o: StepOptions = {}): Pipeline<typeof Transaction> {
    this.#expect('transactions', Trade)
    checkOptions(o, STEP, 'transactions')
    return this.#then(Transaction, { kind: 'transactions', name: nameFor(o, 'transactions') })
  }

  bundle(o: StepOptions & { max?: number; timeoutMicros?: number } = {}): Pipeline<typeof Bundle> {
    this.#expect('bundle', Transaction)
    checkOptions(o, ['name', 'max', 'timeoutMicros'], 'bundle')
    const { max = 16, timeoutMicros = 100 } = o
    checkInteger('max', max, 1, 16)
    checkInteger('timeoutMicros', timeoutMicros, 0)
    return this.#then(Bundle, { kind: 'bundle', name: nameFor(o, 'bundle'), max, timeoutMicros })
  }

  filter(e: (t: Columns<T>) => BoolExpr, o: StepOptions = {}): Pipeline<T> {
    this.#expect('filter', this.type)
    checkOptions(o, STEP, 'filter')
    if (typeof e !== 'function') refuse('filter', 'a function of the fields that gives a condition', e)
    const columns = columnsOf(this.type)
    return this.#then(this.type, { kind: 'filter', name: nameFor(o, 'filter'), expr: conditionOf(() => e(columns)) })
  }

  stage<O extends Element, P>(
    stage: StageDefinition<T, O, P>,
    o: StepOptions & { params?: { readonly [K in keyof P]?: number } } = {},
  ): Pipeline<O> {
    const module: unknown = stage
    if (!isStage(module)) return refuse('stage', 'what defineStage(import.meta, …) gave', stage)
    checkOptions(o, ['name', 'params'], 'stage')
    this.#expect('stage', module.input)
    const given: Readonly<Record<string, unknown>> = o.params ?? {}
    checkOptions(given, Object.keys(module.params), 'params')
    const params: Record<string, number> = { ...module.params }
    for (const [name, value] of Object.entries(given)) params[name] = checkParam(name, value)
    const name = nameFor(o, 'stage')
    const output = typeKey(module.output)
    return this.#then(module.output as O, { kind: 'stage', name, output, script: { url: module.url, params } })
  }

  /** A worker finds its stages and books by name, so names are made unique here. */
  #free(name: string): string {
    const taken = [this.#source.kind, ...this.#steps.map((step) => step.name)]
    for (let n = 2, free = name; ; n++) {
      if (!taken.includes(free)) return free
      free = `${name}-${n}`
    }
  }

  to(sink: Sink<T> | RingFace<T>): Pipeline<T> {
    this.#expect('to', this.type)
    if (sink instanceof CountSink) return this.#then(this.type, { kind: 'count', name: sink.name })
    if (!(sink instanceof RingBuffer)) return refuse('sink', 'count(), discard() or a RingBuffer', sink)
    const { type } = internals(sink as unknown as RingBuffer<Element>)
    if (type !== this.type) refuse('sink', `a ring of ${nameOf(this.type)}`, `a ring of ${nameOf(type)}`)
    return this.#then(this.type, { kind: 'ring', name: 'ring', ring: ringSlot(sink) }, sink)
  }

  async start(o: StartOptions = {}): Promise<RunFace<T>> {
    if (!this.#ended)
      refuse('pipeline', 'a last step to(…): its records would lead nowhere', describe(this.#lastName()))
    return start(this.type, { name: this.#name, source: this.#source, steps: this.#steps }, this.#objects, o)
  }

  #lastName(): string {
    return this.#steps.at(-1)?.name ?? this.#source.kind
  }
}

function nameFor(o: StepOptions, kind: string): string {
  return o.name === undefined ? kind : checkName('name', o.name)
}

function nameOf(type: Element): string {
  return (type as { name?: string }).name ?? (type as unknown as { kind: string }).kind
}

export function pipeline(name: string): { from<T extends Element>(s: Source<T> | RingFace<T>): Face<T> } {
  checkName('name', name)
  return {
    from<T extends Element>(s: Source<T> | RingFace<T>): Face<T> {
      if (s instanceof MarketSource) return new Pipeline(name, MarketEvent, s.plan, [], []) as unknown as Face<T>
      if (!(s instanceof RingBuffer)) return refuse('source', 'replay(…), poisson(…) or a RingBuffer', s)
      const { type } = internals(s as unknown as RingBuffer<Element>)
      if (type === Bundle) refuse('source', 'a ring of MarketEvent, Trade or Transaction', 'a ring of Bundle')
      const plan: SourcePlan = { kind: 'ring', ring: ringSlot(s) }
      return new Pipeline(name, type, plan, [], [s]) as unknown as Face<T>
    },
  }
}
