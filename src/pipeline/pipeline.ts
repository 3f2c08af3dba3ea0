import type {
  Batch,
  BoolExpr,
  Columns,
  Context,
  Element,
  EnumExpr,
  Pipeline as Face,
  Infer,
  L2Book as L2BookFace,
  Mapped,
  NumExpr,
  RecordType,
  RingBuffer as RingFace,
  Run as RunFace,
  Sink,
  Source,
  StageDefinition,
  StartOptions,
  StepOptions,
} from '../../index.js'
import { L2Book } from '../book/l2-book.js'
import { checkFunction, checkInteger, checkName, checkOptions, checkPositive, refuse, words } from '../errors/check.js'
import { columnsOf } from '../expression/columns.js'
import { contextOf } from '../expression/context.js'
import { conditionOf, keyOf, MOST_KEYS, type Node } from '../expression/expression.js'
import { mappedOf } from '../expression/mapped.js'
import { checkParam } from '../expression/param.js'
import { resolved } from '../expression/resolve.js'
import { Bundle } from '../record/bundle.js'
import { codecOf } from '../record/codec.js'
import { MarketEvent, Trade } from '../record/market.js'
import { Transaction } from '../record/transaction.js'
import { typeKey } from '../record/type-key.js'
import { typePlan } from '../record/type-plan.js'
import { ringSlot } from '../ring/native-ring.js'
import { internals, RingBuffer } from '../ring/ring-buffer.js'
import { isStage } from '../stage/define-stage.js'
import { explain } from './explain.js'
import { type Draft, Nodes } from './nodes.js'
import type { At, OwnEnd } from './plan.js'
import { CountSink, FileSink, TakingSink } from './sinks.js'
import { IterableSource, MarketSource } from './sources.js'
import { start } from './start.js'

const STEP = ['name', 'whenFull', 'capacity']
const END_CAPACITY = 4096
/** An edge may take so much memory. */
const MOST_BYTES = 2 ** 30

type Expr<T, R> = (t: Columns<T>, x: Context) => R

/** A declaration: nodes as data, and where its records leave them; nowhere once it has ended. */
export class Pipeline<T extends Element> {
  readonly type: T
  readonly #nodes: Nodes
  readonly #at: At | undefined

  constructor(type: T, nodes: Nodes, at: At | undefined) {
    this.type = type
    this.#nodes = nodes
    this.#at = at
  }

  /** Types are gone at run time: JavaScript learns here that a step doesn't fit, before anything starts. */
  #expect(step: string, type: Element, o: StepOptions, options: readonly string[] = []): At {
    if (!isSame(this.type, type))
      refuse('pipeline', `${nameOf(type)} records before ${step}()`, words(`${otherName(this.type, type)} records`))
    checkOptions(o, [...STEP, ...options], step)
    return this.#at ?? refuse('pipeline', 'no step after to()', words(`${step}()`))
  }

  #then<O extends Element>(type: O, draft: Draft, o: StepOptions, ...objects: object[]): Pipeline<O> {
    const nodes = this.#nodes.add({ from: [this.#at as At], ...draft, ...edgeOf(o, this.type) }, ...objects)
    return new Pipeline(type, nodes, [nodes.length - 1, 0])
  }

  #end(draft: Draft, o: StepOptions, ...objects: object[]): Pipeline<T> {
    return new Pipeline(this.type, this.#then(this.type, draft, o, ...objects).#nodes, undefined)
  }

  /** A step with an expression over the fields of its records. */
  #native<O extends Element>(type: O, kind: string, o: StepOptions, draft: object): Pipeline<O> {
    return this.#then(type, { name: nameFor(o, kind), ...this.#resolved(draft) } as unknown as Draft, o)
  }

  #resolved(draft: object): object {
    return { of: typePlan(this.type), ...resolved(draft) }
  }

  #columns(step: string): [Columns<T>, Context] {
    const seen = this.#nodes.booksBefore(this.#at as At)
    const beyond = this.#nodes.booksBeyond(this.#at as At, seen)
    return [columnsOf(step, this.type), contextOf(seen, beyond)]
  }

  #condition(step: string, e: Expr<T, BoolExpr>): Node {
    checkFunction(step, 'a function of the fields that gives a condition', e)
    const [t, x] = this.#columns(step)
    return conditionOf(step, () => e(t, x))
  }

  #key(step: string, key: (t: Columns<T>) => NumExpr | EnumExpr<string>): Node {
    checkFunction(step, 'a function of the fields that gives a number', key)
    const [t] = this.#columns(step)
    return keyOf(step, () => key(t))
  }

  /** A key that is remembered: what was the same stays the same. */
  #lastingKey(step: string, key: (t: Columns<T>) => NumExpr | EnumExpr<string>): Node {
    const node = this.#key(step, key)
    const { params } = resolved({ key: node })
    if (params.length > 0)
      refuse(step, 'a key without parameters, which would change it', words(params.map(({ name }) => name).join(', ')))
    return node
  }

  book(book: L2BookFace, o: StepOptions & { verify?: 'quotes' } = {}): Pipeline<typeof MarketEvent> {
    const at = this.#expect('book', MarketEvent, o, ['verify'])
    if (!(book instanceof L2Book)) refuse('book', 'an L2Book', book)
    if (o.verify !== undefined && o.verify !== 'quotes') refuse('verify', "'quotes'", o.verify)
    const drops = o.whenFull === 'drop' ? `'drop' at ${nameFor(o, 'book')}` : this.#nodes.losesBefore(at)
    if (drops !== undefined)
      refuse('whenFull', "'block' on every edge before a book: a lost event makes it wrong", words(drops))
    const step = { kind: 'book', book: L2Book.slotOf(book), verify: o.verify === 'quotes' } as const
    return this.#then(MarketEvent, { ...step, name: nameFor(o, 'book') }, o, book)
  }

  trades(o: StepOptions = {}): Pipeline<typeof Trade> {
    this.#expect('trades', MarketEvent, o)
    return this.#then(Trade, { kind: 'trades', name: nameFor(o, 'trades') }, o)
  }

  transactions(o: StepOptions = {}): Pipeline<typeof Transaction> {
    this.#expect('transactions', Trade, o)
    return this.#then(Transaction, { kind: 'transactions', name: nameFor(o, 'transactions') }, o)
  }

  bundle(o: StepOptions & { max?: number; timeoutMicros?: number } = {}): Pipeline<typeof Bundle> {
    this.#expect('bundle', Transaction, o, ['max', 'timeoutMicros'])
    const { max = 16, timeoutMicros = 100 } = o
    checkInteger('max', max, 1, 16)
    checkInteger('timeoutMicros', timeoutMicros, 0)
    return this.#then(Bundle, { kind: 'bundle', name: nameFor(o, 'bundle'), max, timeoutMicros }, o)
  }

  filter(e: Expr<T, BoolExpr>, o: StepOptions = {}): Pipeline<T> {
    this.#expect('filter', this.type, o)
    return this.#native(this.type, 'filter', o, { kind: 'filter', expr: this.#condition('filter', e) })
  }

  map<O extends RecordType>(to: O, e: Expr<T, Mapped<O>>, o: StepOptions = {}): Pipeline<O> {
    this.#expect('map', this.type, o)
    checkFunction('map', 'a function of the fields that gives those of the new record', e)
    const [t, x] = this.#columns('map')
    const fields = mappedOf(to, () => e(t, x))
    return this.#native(to, 'map', o, { kind: 'map', to: typePlan(to), fields })
  }

  tee(branch: (p: Pipeline<T>) => unknown, o: StepOptions = {}): Pipeline<T> {
    this.#expect('tee', this.type, o)
    return this.#fork('tee', this.#then(this.type, { kind: 'tee', name: nameFor(o, 'tee') }, o), branch)
  }

  split(e: Expr<T, BoolExpr>, otherwise: (p: Pipeline<T>) => unknown, o: StepOptions = {}): Pipeline<T> {
    this.#expect('split', this.type, o)
    const expr = this.#condition('split', e)
    return this.#fork('split', this.#native(this.type, 'split', o, { kind: 'split', expr }), otherwise)
  }

  #fork(step: string, fork: Pipeline<T>, branch: (p: Pipeline<T>) => unknown): Pipeline<T> {
    checkFunction(step, 'a function of the branch', branch)
    const [node] = fork.#at as At
    const ended = branch(new Pipeline(this.type, fork.#nodes, [node, 1]))
    if (!(ended instanceof Pipeline) || !ended.#nodes.startsWith(fork.#nodes))
      return refuse(step, 'the branch that the function was given, gone on with', ended)
    if (ended.#at)
      refuse(step, 'a last step to(…) of the branch: its records would lead nowhere', words(ended.#lastName()))
    return new Pipeline(this.type, ended.#nodes, [node, 0])
  }

  merge(
    by: (t: Columns<T>) => NumExpr,
    others: readonly Face<T>[],
    o: StepOptions & { late?: 'emit' | 'drop' } = {},
  ): Pipeline<T> {
    const at = this.#expect('merge', this.type, o, ['late'])
    if (!Array.isArray(others) || others.length === 0) refuse('others', 'a list of at least one pipeline', others)
    const { late = 'emit' } = o
    if (late !== 'emit' && late !== 'drop') refuse('late', "'emit' or 'drop'", late)
    let nodes = this.#nodes
    const from = [at]
    for (const other of others as readonly unknown[]) {
      if (!(other instanceof Pipeline)) return refuse('others', 'pipelines', other)
      if (!isSame(other.type as Element, this.type))
        refuse(
          'others',
          `pipelines of ${nameOf(this.type)}`,
          words(`one of ${otherName(other.type as Element, this.type)}`),
        )
      const { node, output } = { node: other.#at?.[0], output: other.#at?.[1] }
      if (node === undefined || output === undefined)
        return refuse('others', 'pipelines that go on', words('one that ended in to()'))
      from.push([node + nodes.length, output])
      nodes = nodes.append(other.#nodes)
    }
    const key = this.#key('merge', by)
    const draft = {
      name: nameFor(o, 'merge'),
      from,
      ...this.#resolved({ kind: 'merge', by: key, late }),
      ...edgeOf(o, this.type),
    }
    const made = nodes.add(draft as unknown as Draft & { from: At[] })
    return new Pipeline(this.type, made, [made.length - 1, 0])
  }

  sampleEvery(n: number, o: StepOptions = {}): Pipeline<T> {
    this.#expect('sampleEvery', this.type, o)
    checkInteger('n', n, 1)
    return this.#then(this.type, { kind: 'sampleEvery', name: nameFor(o, 'sampleEvery'), n }, o)
  }

  rateLimit(perSecond: number, o: StepOptions = {}): Pipeline<T> {
    this.#expect('rateLimit', this.type, o)
    checkPositive('perSecond', perSecond)
    return this.#then(this.type, { kind: 'rateLimit', name: nameFor(o, 'rateLimit'), perSecond }, o)
  }

  dedupe(
    key: (t: Columns<T>) => NumExpr | EnumExpr<string>,
    o: StepOptions & { windowMicros: number; maxKeys?: number },
  ): Pipeline<T> {
    this.#expect('dedupe', this.type, o, ['windowMicros', 'maxKeys'])
    const { windowMicros, maxKeys = 65_536 } = o
    checkInteger('windowMicros', windowMicros, 1)
    checkInteger('maxKeys', maxKeys, 1, MOST_KEYS)
    const draft = { kind: 'dedupe', key: this.#lastingKey('dedupe', key), windowMicros, maxKeys }
    return this.#native(this.type, 'dedupe', o, draft)
  }

  conflate(
    key: (t: Columns<T>) => NumExpr | EnumExpr<string>,
    o: StepOptions & { maxKeys?: number } = {},
  ): Pipeline<T> {
    this.#expect('conflate', this.type, o, ['maxKeys'])
    const { maxKeys = 65_536 } = o
    checkInteger('maxKeys', maxKeys, 1, MOST_KEYS)
    return this.#native(this.type, 'conflate', o, { kind: 'conflate', key: this.#lastingKey('conflate', key), maxKeys })
  }

  stage<O extends Element, P>(
    stage: StageDefinition<T, O, P>,
    o: StepOptions & { params?: { readonly [K in keyof P]?: number } } = {},
  ): Pipeline<O> {
    const module: unknown = stage
    if (!isStage(module))
      return refuse('stage', 'what defineStage(import.meta, …) gave, the default export of its module', stage)
    this.#expect('stage', module.input, o, ['params'])
    const given: Readonly<Record<string, unknown>> = o.params ?? {}
    const names = Object.keys(module.params)
    if (names.length === 0 && Object.keys(given).length > 0)
      refuse('params', 'none, as the stage declares none', words(Object.keys(given).join(', ')))
    checkOptions(given, names, 'params')
    const own: Record<string, number> = { ...module.params }
    for (const [name, value] of Object.entries(given)) own[name] = checkParam(name, value)
    const script = { url: module.url, params: own }
    const params = Object.entries(own).map(([name, initial]) => ({ name, initial }))
    const draft = { kind: 'stage', name: nameFor(o, 'stage'), output: typeKey(module.output), script, params } as const
    return this.#then(module.output as O, draft, o)
  }

  tap(f: (batch: Batch<T>) => void, o: StepOptions = {}): Pipeline<T> {
    this.#expect('tap', this.type, o)
    checkFunction('tap', 'a function of a batch', f)
    const { whenFull, capacity, ...rest } = o
    edgeOf(o, this.type)
    const own = this.#own({ kind: 'tap', f: f as (batch: never) => void }, o)
    const fork = this.#then(this.type, { kind: 'tee', name: nameFor(o, 'tap') }, rest)
    const name = `${nameFor(o, 'tap')} callback`
    return this.#fork('tap', fork, (p) => p.#end({ kind: 'ring', ring: -1, name, own }, {}))
  }

  #own(use: OwnEnd['use'], { whenFull, capacity = END_CAPACITY }: StepOptions): OwnEnd {
    return { type: this.type, use, drops: whenFull === 'drop', capacity: 2 ** Math.ceil(Math.log2(capacity)) }
  }

  to(sink: Sink<T> | RingFace<T>, o: StepOptions = {}): Pipeline<T> {
    this.#expect('to', this.type, o)
    if (sink instanceof CountSink) return this.#end({ kind: 'count', name: o.name ?? sink.name }, o)
    if (sink instanceof FileSink) {
      const { path, format } = sink
      return this.#end({ kind: 'file', name: nameFor(o, 'file'), path, format, of: typePlan(this.type) }, o)
    }
    if (sink instanceof TakingSink) {
      this.#fits('sink', 'a sink', sink.type as Element)
      const take = (records: readonly never[]) => (sink as TakingSink<Element>).take(records)
      const own = this.#own({ kind: 'sink', take }, o)
      return this.#end({ kind: 'ring', ring: -1, name: o.name ?? sink.name, own }, o, sink)
    }
    if (!(sink instanceof RingBuffer))
      return refuse(
        'sink',
        'count(), discard(), toFile(), a submitter or a RingBuffer',
        typeof sink === 'function' ? words('a function: tap() takes one, and run.batches() without to()') : sink,
      )
    this.#fits('sink', 'a ring', internals(sink as unknown as RingBuffer<Element>).type)
    if (this.#nodes.objects.includes(sink))
      refuse(
        'sink',
        'a ring that the pipeline does not use already',
        words('one that would feed itself, or two writers'),
      )
    return this.#end({ kind: 'ring', name: nameFor(o, 'ring'), ring: ringSlot(sink) }, o, sink)
  }

  #fits(field: string, what: string, type: Element): void {
    if (!isSame(type, this.type))
      refuse(field, `${what} of ${nameOf(this.type)}`, words(`${what} of ${otherName(type, this.type)}`))
  }

  async toArray(o: StartOptions = {}): Promise<Infer<T>[]> {
    if (!this.#at)
      refuse('toArray', 'a pipeline without a last step to(…)', words(`one that ends in ${this.#lastName()}`))
    const all: Infer<T>[] = []
    const run = await this.start(o)
    for await (const batch of run.batches()) for (const record of batch.toArray()) all.push(record)
    await run.done()
    return all
  }

  explain(o: StartOptions = {}): string {
    return explain(this.#ended(), o)
  }

  /** All nodes; a pipeline that goes on ends in the run's own `batches()`. */
  #ended(): Nodes {
    if (!this.#at) return this.#nodes
    const { whenFull, capacity } = this.#nodes.last
    const options = { ...(whenFull && { whenFull }), ...(capacity && { capacity }) }
    return this.#end({ kind: 'ring', ring: -1, name: 'batches', own: this.#own({ kind: 'batches' }, options) }, {})
      .#nodes
  }

  async start(o: StartOptions = {}): Promise<RunFace<T>> {
    return start(this.type, this.#ended(), o)
  }

  #lastName(): string {
    return this.#nodes.last.name
  }
}

function nameFor(o: StepOptions, kind: string): string {
  return o.name === undefined ? kind : checkName('name', o.name)
}

/** What is said about the edge into a step, which carries records of a type. */
function edgeOf(
  { whenFull, capacity }: StepOptions,
  type: Element,
): { whenFull?: 'block' | 'drop'; capacity?: number } {
  if (whenFull !== undefined && whenFull !== 'block' && whenFull !== 'drop')
    refuse('whenFull', "'block' or 'drop'", whenFull)
  if (capacity !== undefined) checkInteger('capacity', capacity, 1, mostOf(type))
  return { ...(whenFull !== undefined && { whenFull }), ...(capacity !== undefined && { capacity }) }
}

/** So many records of a type at most wait on an edge. */
function mostOf(type: Element): number {
  return Math.min(2 ** 24, 2 ** Math.floor(Math.log2(MOST_BYTES / codecOf(type).byteLength)))
}

/** A type declared twice, or sent to another thread, is the same. */
function isSame(a: Element, b: Element): boolean {
  return a === b || codecOf(a).signature === codecOf(b).signature
}

/** The name of a type that is not the one expected, told apart where that has the same name. */
function otherName(type: Element, expected: Element): string {
  const name = nameOf(type)
  return name === nameOf(expected) ? `another ${name}, with other fields` : name
}

function nameOf(type: Element): string {
  return (type as { name?: string }).name ?? (type as unknown as { kind: string }).kind
}

export function pipeline(name: string): { from<T extends Element>(s: Source<T> | RingFace<T>): Face<T> } {
  checkName('name', name)
  return {
    from<T extends Element>(s: Source<T> | RingFace<T>): Face<T> {
      const made = (type: Element, draft: Draft, ...objects: object[]) =>
        new Pipeline(type, new Nodes(name).add({ from: [], ...draft }, ...objects), [0, 0]) as unknown as Face<T>
      if (s instanceof MarketSource) return made(MarketEvent, { ...s.plan, name: s.plan.kind }, s)
      if (s instanceof IterableSource) {
        const use = { kind: 'iterable', values: s.values } as const
        const own: OwnEnd = { type: s.type, use, capacity: END_CAPACITY, drops: false }
        return made(s.type, { kind: 'ringSource', ring: -1, name: 'iterable', own })
      }
      if (!(s instanceof RingBuffer))
        return refuse('source', 'replay(…), poisson(…), live(…), fromIterable(…) or a RingBuffer', s)
      const { type } = internals(s as unknown as RingBuffer<Element>)
      if (type === Bundle) refuse('source', 'a ring of MarketEvent, Trade or Transaction', words('a ring of Bundle'))
      return made(type, { kind: 'ringSource', ring: ringSlot(s), name: 'ring' }, s)
    },
  }
}
