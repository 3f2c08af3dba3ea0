// What a new user gets wrong: each is told in a sentence, before anything starts where it can be known by then.
import {
  Bundle,
  bool,
  count,
  defineStage,
  fromIterable,
  L2Book,
  type NumExpr,
  OrderBook,
  type Pipeline,
  param,
  pipeline,
  poisson,
  RingBuffer,
  type Run,
  record,
  Trade,
  text,
  u8,
  u32,
  type VeloxErrorCode,
  when,
} from 'velox-engine'
import { expect, test } from 'vitest'
import large from './stages/large.js'
import { expectCode, rejected } from './support/errors.js'

const source = () => poisson({ perSecond: 1e6, count: 1_000, pace: 'max' })
const events = () => pipeline('p').from(source())
const trades = () => events().trades()
const endless = () =>
  pipeline('p')
    .from(poisson({ perSecond: 1_000 }))
    .trades()
const book = () => new L2Book({ instrument: source().instrument() })

type Misuse = [what: () => unknown, text: string, code?: VeloxErrorCode]

/** Each is refused as it is declared. */
function refused(cases: readonly Misuse[]): void {
  for (const [what, text, code = 'VELOX_INVALID_VALUE'] of cases) expectCode(what, code, text)
}

/** Each is refused by `start`. */
async function refusedAtStart(cases: readonly Misuse[]): Promise<void> {
  for (const [what, text, code = 'VELOX_INVALID_VALUE'] of cases) {
    const error = await rejected((what() as Pipeline<typeof Trade>).to(count()).start())
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)])
  }
}

type Filter = Parameters<ReturnType<typeof trades>['filter']>[0]
const filter = (e: Filter) => () => trades().filter(e)

test('conditions are made by methods, and all of them are used', () => {
  refused([
    [filter((t) => t.price.gt(1) && t.qty.gt(2)), '1 that lead nowhere (&& and || drop one)'],
    [filter((t) => !t.price.gt(1) as never), 'joined by and(), or(), not()'],
    [filter((t) => (t.price.gt(1) ? t.qty.gt(2) : t.qty.gt(3))), 'lead nowhere'],
    [
      filter((t) =>
        when(t.price.gt(1) && t.qty.gt(1), t.qty)
          .otherwise(1)
          .gt(1),
      ),
      'lead nowhere',
    ],
    [filter((t) => ((t.price as never) + 1) as never), 'got an operator: what it is worth is known when'],
    [filter((t) => t.price.gt(`${t.qty}` as '1')), 'got an operator'],
    [filter((t) => ((t.price as unknown) === 1) as never), 'got false'],
    [filter((t) => when(t.price.gt(1), 2) as never), 'a condition, such as t.price.gt(5)'],
    [filter((async (t: { price: NumExpr }) => t.price.gt(1)) as never), 'got an async function'],
  ])
})

test('operands and bounds are told before a plan is made of them', () => {
  const over = (o: object, key: 'instrument' | 'side' = 'instrument') =>
    filter((t) =>
      t.price
        .prev()
        .over(t[key] as NumExpr, o as { maxKeys: number })
        .gt(1),
    )
  refused([
    [filter((t) => t.price.gt(2n ** 70n)), 'a bigint that fits 64 bits'],
    [filter((t) => t.price.gt(undefined as never)), 'a column, a number'],
    [filter((t) => t.price.between(10, 0)), 'between: expected the lower bound first, got 10 before 0'],
    [filter((t) => t.price.clamp(10n, 0).gt(1)), 'clamp: expected the lower bound first'],
    [filter((t) => t.price.in(5 as never)), 'in: expected an array'],
    [filter((t) => t.side.in('ask' as never)), 'in: expected an array'],
    [over({ maxKey: 5 }), 'did you mean maxKeys?', 'VELOX_UNKNOWN_OPTION'],
    [over({ maxKeys: 0 }), 'maxKeys: expected a whole number, 1 to 1048576'],
    [over({ maxKeys: 5 }, 'side'), 'over: expected a key that is a number'],
    [filter((t) => deep(t.price, 100).gt(1)), 'at most 60 calls on one another'],
    [filter((t) => deep(t.price, 10_000).gt(1)), 'at most 60 calls on one another'],
    [() => events().filter((e) => e.kind.eq('ask' as never)), "'level', 'trade', 'quote', 'status'"],
  ])
})

function deep(e: NumExpr, calls: number): NumExpr {
  let sum = e
  for (let i = 0; i < calls; i++) sum = sum.add(1)
  return sum
}

test('an expression may be as deep as is said', async () => {
  expect(
    await trades()
      .filter((t) => deep(t.price, 58).gt(0))
      .toArray(),
  ).toHaveLength(1_000)
  const Sum = record('Sum', { sum: u32 })
  expect(
    await trades()
      .map(Sum, (t) => ({ sum: deep(t.qty, 58) }))
      .toArray(),
  ).toHaveLength(1_000)
})

test('parameters are numbers, one for a name', async () => {
  refused([
    [() => param('', 1), 'name'],
    [() => param('x', '5' as never), 'params.x: expected a number, got "5"'],
    [() => param('x', Number.NaN), 'params.x: expected a number, got NaN'],
    [() => trades().stage(large, { params: { least: Number.POSITIVE_INFINITY } }), 'params.least: expected a number'],
    [filter((t) => t.price.gt(param('x', 1)).and(t.qty.gt(param('x', 2)))), 'one initial value for x: 1, got 2'],
    [filter((t) => t.price.gt({ name: 'x', initial: 5 })), 'a column, a number'],
  ])
  const half = trades().filter((t) => t.qty.gt(param('x', 0.5)))
  expect((await rejected(half.to(count()).start())).message).toContain('a whole number, as it meets integers')
  expect(
    await trades()
      .filter((t) => t.qty.toF64().gt(param('x', 0.5)))
      .toArray(),
  ).not.toHaveLength(0)
  const run = await endless()
    .filter((t) => t.price.gt(param('tilt', 1)))
    .to(count())
    .start()
  refused([
    [() => run.params.set('tlit', 5), 'one of tilt (did you mean tilt?), got "tlit"'],
    [() => run.params.set('tilt', Number.NaN), 'params.tilt: expected a number, got NaN'],
    [() => run.params.set('tilt', '5' as never), 'params.tilt: expected a number, got "5"'],
    [() => run.params.get(null as never), 'param: expected a string'],
  ])
  await run.stop()
})

test('a map gives every field of its record, and none that it has not', () => {
  const Pair = record('Pair', { a: u32, b: u32 })
  const map = (to: unknown, e: unknown) => () => trades().map(to as typeof Pair, e as never)
  refused([
    [map(Pair, (t: { id: NumExpr }) => ({ a: t.id })), 'b: expected a value: every field of Pair is given, got none'],
    [
      map(Pair, (t: { id: NumExpr }) => ({ a: t.id, c: t.id })),
      'expected one of its fields a, b',
      'VELOX_UNKNOWN_FIELD',
    ],
    [map(Pair, () => ({ a: undefined, b: 1 })), 'a: expected an expression or a value, got undefined'],
    [map(Pair, undefined), 'a function of the fields'],
    [map(() => ({}), Pair), 'a function of the fields'],
    [map(u8, () => ({})), 'a record type to map to'],
    [map(record('Note', { note: text(5) }), () => ({ note: 'x' })), 'a stage can write others, got one of text'],
    [map(Bundle, () => ({ transactions: [], count: 0, createdTsNs: 0 })), 'got one of records'],
  ])
})

test('a map whose values do not fit their fields is refused at the start', async () => {
  await refusedAtStart([
    [
      () => trades().map(record('R', { a: bool }), (t) => ({ a: t.id as never })),
      'expected bool',
      'VELOX_TYPE_MISMATCH',
    ],
    [() => trades().map(record('R', { a: u32 }), (t) => ({ a: t.price.toF64() })), 'integers', 'VELOX_TYPE_MISMATCH'],
    [() => trades().map(record('R', { a: u8 }), () => ({ a: 300 })), 'a: expected 0 to 255, got 300'],
    [() => trades().filter((t) => t.price.gt('abc' as '1')), 'got the decimal text "abc"'],
  ])
})

test('fields that no expression can read are told by their type', () => {
  const bundles = trades().transactions().bundle()
  expectCode(
    () => bundles.filter((b) => (b.transactions as never as NumExpr).gt(3)),
    'VELOX_INVALID_VALUE',
    'transactions',
  )
  const numbers = pipeline('p').from(fromIterable(u32, [1]))
  expectCode(
    () => numbers.filter(() => undefined as never),
    'VELOX_INVALID_VALUE',
    'a pipeline of records, got one of u32',
  )
})

test('books are L2Books, stand before what looks at them, and see every event', async () => {
  const spot = () => events().book(book(), { name: 'spot' })
  refused([
    [() => events().book(new OrderBook() as never), 'an L2Book, got an object OrderBook'],
    [() => events().book(book(), { verify: true as never }), "'quotes'"],
    [
      () => spot().filter((_, { books }) => (books as never as typeof books & { spto: never })['spto']),
      'did you mean spot?',
    ],
    [filter((_, { book }) => book.bid.gt(1)), 'a book step before this one, got none'],
    [() => spot().filter((_, { book }) => book.imbalance(0).gt(1)), 'levels: expected a whole number, 1 to'],
    [
      () =>
        spot()
          .merge((t) => t.receiveTs, [events()])
          .filter((_, { book }) => book.bid.gt(1)),
      'behind the merge that spot stands before',
    ],
    [
      () =>
        events()
          .filter((e) => e.price.gt(0), { whenFull: 'drop' })
          .book(book()),
      "got 'drop' at filter",
    ],
    [() => events().book(book(), { whenFull: 'drop' }), "got 'drop' at book"],
    [() => events().sampleEvery(2).book(book()), 'got sampleEvery, which leaves some out'],
    [() => events().rateLimit(2).book(book()), 'got rateLimit, which leaves some out'],
    [
      () =>
        events()
          .conflate((e) => e.price)
          .trades()
          .merge((t) => t.receiveTs, []),
      'at least one pipeline',
    ],
    [
      () =>
        events()
          .conflate((e) => e.price)
          .book(book()),
      'got conflate, which leaves some out',
    ],
    [
      () =>
        events()
          .merge((e) => e.receiveTs, [events()], { late: 'drop' })
          .book(book()),
      'got merge, which leaves some',
    ],
  ])
  const twice = book()
  await refusedAtStart([
    [() => events().book(twice).book(twice).trades(), 'expected no writer', 'VELOX_BOOK_OWNED'],
    [
      () =>
        events()
          .book(twice)
          .merge((e) => e.receiveTs, [events().book(twice)])
          .trades(),
      'expected no writer',
      'VELOX_BOOK_OWNED',
    ],
  ])
})

test('options of steps are known, and what an edge holds fits memory', () => {
  refused([
    [() => trades().filter((t) => t.price.gt(1), { nmae: 'x' } as never), 'did you mean name?', 'VELOX_UNKNOWN_OPTION'],
    [() => trades().filter((t) => t.price.gt(1), { whenFull: 'dorp' as never }), "'block' or 'drop'"],
    [() => trades().filter((t) => t.price.gt(1), { capacity: 0 }), 'capacity: expected a whole number, 1 to 16777216'],
    [() => trades().tap(() => {}, { capacity: 0 }), 'capacity: expected a whole number, 1 to 16777216'],
    [() => trades().tap(() => {}, { whenFull: 'dorp' as never }), "'block' or 'drop'"],
    [
      () =>
        trades()
          .transactions()
          .bundle()
          .tap(() => {}, { capacity: 2 ** 24 }),
      'capacity: expected a whole number, 1 to 1048576',
    ],
    [() => trades().dedupe((t) => t.id, {} as never), 'windowMicros'],
    [() => trades().dedupe('id' as never, { windowMicros: 1 }), 'a function of the fields'],
    [() => trades().sampleEvery(1.5), 'n: expected a whole number'],
    [() => trades().rateLimit(Number.NaN), 'perSecond'],
    [() => trades().explain({ thread: 2 } as never), 'did you mean threads?', 'VELOX_UNKNOWN_OPTION'],
  ])
})

test('branches go on with what they were given and end', () => {
  refused([
    [() => trades().tee((p) => p), 'lead nowhere, got tee'],
    [() => trades().tee((() => {}) as never), 'the branch that the function was given'],
    [() => trades().tee(() => trades().to(count())), 'the branch that the function was given'],
    [() => trades().tee((async (p: Pipeline<typeof Trade>) => p.to(count())) as never), 'got an async function'],
    [() => trades().split((t) => t.price.gt(1), undefined as never), 'a function of the branch'],
    [() => trades().merge((t) => t.receiveTs, trades() as never), 'a list of at least one pipeline'],
    [() => trades().merge((t) => t.receiveTs, [trades().to(count())]), 'got one that ended in to()'],
    [() => trades().merge((t) => t.receiveTs, [trades().transactions() as never]), 'got one of Transaction'],
    [
      () =>
        trades()
          .to(count())
          .filter((t) => t.price.gt(1)),
      'no step after to(), got filter()',
    ],
    [() => trades().to(count as never), 'sink: expected count()'],
    [() => pipeline('p').from([1, 2] as never), 'source: expected replay'],
  ])
})

test('names are lines of a report', () => {
  const named = (name: string) => () => trades().filter((t) => t.price.gt(0), { name })
  refused([
    [named('a\nb'), 'name: expected one line of at most 200 characters'],
    [named('x'.repeat(201)), 'name: expected one line of at most 200 characters'],
    [() => pipeline(' '), 'name: expected a string that is not empty'],
  ])
})

test('a record that is declared twice is one', async () => {
  const twin = () => record('Twin', { a: u32 })
  const ring = new RingBuffer(twin(), 8)
  const chain = pipeline('p')
    .from(fromIterable(twin(), [{ a: 1 }]))
    .to(ring)
  await (await chain.start()).done()
  expect(ring.pop()).toEqual({ a: 1 })
  const trade = record('Trade', Trade.fields) as typeof Trade
  expect(await pipeline('p').from(fromIterable(trade, [])).transactions().toArray()).toEqual([])
  const other = record('Twin', { a: u8 })
  expectCode(
    () =>
      pipeline('p')
        .from(fromIterable(other, []))
        .to(ring as never),
    'VELOX_INVALID_VALUE',
    'a ring of Twin',
  )
})

test('pipelines of pipelines are pipelines', async () => {
  const one = trades()
  const merged = () => trades().merge((t) => t.receiveTs, [one])
  expect(
    await merged()
      .merge((t) => t.receiveTs, [merged()])
      .toArray(),
  ).toHaveLength(4_000)
  expect(await one.merge((t) => t.receiveTs, [one]).toArray()).toHaveLength(2_000)
  expect(await events().toArray()).toHaveLength(2_000)
})

test('a declaration starts as often as one likes, and as often at once as its rings and books allow', async () => {
  const one = trades()
  expect((await Promise.all([one.toArray(), one.toArray()])).map((all) => all.length)).toEqual([1_000, 1_000])
  const ring = new RingBuffer(Trade, 8)
  for (const [chain, code] of [
    [endless().to(ring), 'VELOX_RING_OWNED'],
    [
      pipeline('p')
        .from(poisson({ perSecond: 1_000 }))
        .book(book())
        .to(count()),
      'VELOX_BOOK_OWNED',
    ],
  ] as const) {
    const run = await chain.start()
    expect((await rejected(chain.start())).code).toBe(code)
    run.abort()
    await rejected(run.done())
  }
})

test('values that can be had once are not taken for none the second time', async () => {
  function* numbers() {
    yield 1
    yield 2
  }
  const once = pipeline('p').from(fromIterable(u32, numbers()))
  expect(await once.toArray()).toEqual([1, 2])
  expect((await rejected(once.toArray())).message).toContain('an iterable that can be gone through again')
  const often = pipeline('p').from(fromIterable(u32, [1, 2]))
  expect([await often.toArray(), await often.toArray()]).toEqual([
    [1, 2],
    [1, 2],
  ])
})

test('an iterable is told what its record lacks, and its own error comes through', async () => {
  const lacking = pipeline('p')
    .from(fromIterable(Trade, [{ id: 1 } as never]))
    .to(count())
  expect((await rejected((await lacking.start()).done())).message).toContain('iterable failed: instrument: expected')
  refused([
    [() => fromIterable(Trade, 5 as never), 'an iterable or an async iterable'],
    [() => fromIterable([1] as never, u8 as never), 'type: expected a field'],
    [() => fromIterable(u32, []).instrument(), 'a source of market data, got an iterable'],
  ])
})

test('a tap is through with its batch at once', async () => {
  expectCode(() => trades().tap(async () => {}), 'VELOX_INVALID_VALUE', 'got an async function')
  const late = await trades()
    .tap(() => Promise.reject(new Error('unseen')) as never)
    .to(count())
    .start()
  const error = await rejected(late.done())
  expect([error.code, error.message]).toEqual(['VELOX_STAGE_FAILED', expect.stringContaining('through with its batch')])
})

const reader = (run: Run<typeof Trade>, o?: { signal?: AbortSignal }) => run.batches(o)[Symbol.asyncIterator]()

test('batches are for pipelines without an end, for one reader, and none after the last', async () => {
  const ended = await trades().to(count()).start()
  expectCode(() => reader(ended), 'VELOX_INVALID_VALUE', 'got one that ends in a sink')
  await ended.done()
  expect((await rejected(trades().to(count()).toArray())).message).toContain('got one that ends in count')

  const run = await endless().start()
  expectCode(() => reader(run, { signal: 5 as never }), 'VELOX_INVALID_VALUE', 'signal: expected an AbortSignal')
  expectCode(() => reader(run, { singal: 5 } as never), 'VELOX_UNKNOWN_OPTION', 'did you mean signal?')
  const first = reader(run)
  await first.next()
  expect((await rejected(reader(run).next())).message).toContain('one reader at a time')
  await first.return?.()
  await run.stop()
  for await (const _ of run.batches({ signal: AbortSignal.abort() })) expect.unreachable()

  const whole = await trades().start()
  let seen = 0
  for await (const batch of whole.batches()) seen += batch.length
  await whole.done()
  for await (const batch of whole.batches()) seen += batch.length
  expect(seen).toBe(1_000)
})

test('a run that has ended takes what comes too late', async () => {
  const run = await trades()
    .filter((t) => t.price.gt(param('tilt', 1)))
    .to(count())
    .start()
  await run.done()
  run.pause()
  run.resume()
  run.abort()
  run.params.set('tilt', 5)
  expect((await run.stop()).balanced).toBe(true)
  for await (const _ of run.stats()) expect.unreachable()
})

test('threads and cores are those that there are', async () => {
  const start = (threads: unknown, o = {}) =>
    rejected(
      trades()
        .to(count())
        .start({ threads, ...o } as never),
    )
  const placed = async (threads: unknown, text: string, o = {}) => {
    const { code, message } = await start(threads, o)
    expect([code, message]).toEqual(['VELOX_PLACEMENT_INVALID', expect.stringContaining(text)])
  }
  await placed(100, '1 to 3 threads, a stage each at most')
  await placed([{ stages: ['poisson'] }], 'every stage once')
  await placed([{ stages: ['poison', 'trades', 'count'] }], 'every stage once, in order')
  await placed([], 'expected a thread at least, got an empty list')
  const spinning = { core: 0, wait: 'spin' } as const
  await placed(
    [
      { ...spinning, stages: ['poisson'] },
      { ...spinning, stages: ['trades', 'count'] },
    ],
    'core 0 for a thread that spins alone',
  )
  await placed([{ core: 4_000, stages: ['poisson', 'trades', 'count'] }], 'a core from 0 to')
  expect((await start('two')).message).toContain("'auto', a number or a list of { stages }")
  expect((await start(0)).message).toContain('threads: expected a whole number, 1 to 1024')
  const looking = events()
    .book(book())
    .trades()
    .filter((_, { book }) => book.bid.gt(1))
    .to(count())
  const cut = [{ stages: ['poisson', 'book'] }, { stages: ['trades', 'filter', 'count'] }]
  expect((await rejected(looking.start({ threads: cut }))).message).toContain(
    'on one thread: a book and what looks at it',
  )
})

test('a stage is a module that gives one, of records that it can carry', async () => {
  const d = { input: Trade, output: Trade, open: () => ({ poll: () => undefined }) }
  const define = (change: object) => () => defineStage(import.meta, { ...d, ...change } as never)
  refused([
    [() => defineStage(d as never, undefined as never), 'an object of options: input, output, params, open'],
    [() => defineStage({} as never, d), 'meta: expected import.meta'],
    [define({ open: undefined }), 'open: expected a function that gives an object with a poll function'],
    [define({ open: async () => ({ poll() {} }) }), 'got an async function'],
    [define({ output: undefined }), 'a record or a field'],
    [
      define({ output: record('Long', { note: text(200) }) }),
      'output: expected a record of at most 128 bytes, got one of 202',
    ],
    [define({ params: [1] }), 'params: expected an object of numbers by their names'],
    [define({ params: { least: '1' } }), 'params.least: expected a number'],
    [define({ poll() {} }), 'one of input, output, params, open', 'VELOX_UNKNOWN_OPTION'],
    [
      () => trades().stage(import('./stages/large.js') as never),
      'the default export of its module, got an object Promise',
    ],
  ])
  expect(define({ input: Bundle })).not.toThrow()
  const absent = { url: new URL('./stages/no-such-stage.js', import.meta.url).href } as ImportMeta
  for (const [meta, text] of [
    [
      { url: 'data:text/javascript,export const stage = 5' } as ImportMeta,
      'a module whose default export is defineStage',
    ],
    [absent, 'no-such-stage.js'],
  ] as const) {
    const error = await rejected(trades().stage(defineStage(meta, d), { name: 'mine' }).to(count()).start())
    expect([error.code, error.message]).toEqual(['VELOX_STAGE_FAILED', expect.stringContaining(text)])
    expect(error.message).toContain('the stage mine failed')
  }
})
