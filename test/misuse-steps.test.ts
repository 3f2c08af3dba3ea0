// What a new user gets wrong in the steps of a pipeline: each is told in a sentence where it is written, or by the start.
import {
  Bundle,
  count,
  defineStage,
  fromIterable,
  OrderBook,
  type Pipeline,
  param,
  pipeline,
  RingBuffer,
  record,
  Trade,
  text,
  u8,
  u32,
} from 'velox-engine'
import { expect, test } from 'vitest'
import large from './stages/large.js'
import never from './stages/never.js'
import { expectCode, rejected } from './support/errors.js'
import { book, events, filter, refused, refusedAtStart, trades } from './support/misuse.js'

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
    [
      () => trades().dedupe((t) => t.qty.add(param('x', 1)), { windowMicros: 1 }),
      'dedupe: expected a key without parameters, which would change it, got x',
    ],
    [() => trades().conflate((t) => t.qty.add(param('x', 1))), 'conflate: expected a key without parameters'],
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

test('a tap is through with its batch at once', async () => {
  expectCode(() => trades().tap(async () => {}), 'VELOX_INVALID_VALUE', 'got an async function')
  const late = await trades()
    .tap(() => Promise.reject(new Error('unseen')) as never)
    .to(count())
    .start()
  const error = await rejected(late.done())
  expect([error.code, error.message]).toEqual(['VELOX_STAGE_FAILED', expect.stringContaining('through with its batch')])
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
    [
      () => trades().stage(never, { params: { least: 5, most: 6 } as never }),
      'params: expected none, as the stage declares none, got least, most',
    ],
    [() => trades().stage(large, { params: { laest: 5 } as never }), 'did you mean least?', 'VELOX_UNKNOWN_OPTION'],
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
