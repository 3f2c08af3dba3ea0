// What a new user gets wrong in an expression: each is told in a sentence, before anything starts where it can be known by then.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Bundle,
  bool,
  count,
  fromIterable,
  type NumExpr,
  param,
  pipeline,
  record,
  replay,
  sample,
  text,
  u8,
  u32,
  when,
} from 'velox-engine'
import { expect, test } from 'vitest'
import large from './stages/large.js'
import { expectCode, rejected } from './support/errors.js'
import { book, endless, events, filter, refused, refusedAtStart, trades } from './support/misuse.js'

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

test('a name that an expression has not is told with those that it has', () => {
  refused([
    [filter((t) => (t.side as never as NumExpr).gt(1)), 'expected one of eq, ne, in, got "gt"'],
    [filter((t) => (t.price as never as { greater: (o: number) => never }).greater(1)), 'one of add, sub, mul'],
    [filter((t) => (t.price.gt(1) as never as NumExpr).gt(1)), 'expected one of and, or, not, got "gt"'],
    [filter((t) => (t.price as never as { btween: () => never }).btween()), '(did you mean between?)'],
    [
      () =>
        events()
          .book(book())
          .filter((_, { book }) => (book as never as { spred: NumExpr }).spred.gt(1)),
      'one of mid, spread, bid, ask, imbalance (did you mean spread?)',
    ],
    [
      () =>
        events()
          .book(book())
          .filter((_, x) => (x as never as { boks: { x: { mid: NumExpr } } }).boks.x.mid.gt(1)),
      'one of book, books (did you mean books?)',
    ],
  ])
})

test('operands and bounds are told before a plan is made of them', () => {
  const over = (o: object) =>
    filter((t) =>
      t.price
        .prev()
        .over(t.instrument, o as { maxKeys: number })
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
    [
      filter((t) =>
        t.price
          .prev()
          .over('side' as never)
          .gt(1),
      ),
      'over: expected a key that is a number, a name or a condition',
    ],
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
    [
      () => run.params.set('tilt', 1.5),
      'params.tilt: expected a whole number, as it meets integers: toF64() makes them floats',
    ],
    [() => run.params.set('tilt', 2 ** 64), 'params.tilt: expected a whole number of -2^63 to 2^64 - 1'],
  ])
  expect(run.params.get('tilt')).toBe(1)
  run.params.set('tilt', -7)
  expect(run.params.get('tilt')).toBe(-7)
  await run.stop()
  const floats = await endless()
    .filter((t) => t.price.toF64().gt(param('tilt', 1)))
    .to(count())
    .start()
  floats.params.set('tilt', 1.5)
  await floats.stop()
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

test('a decimal is refused where several markets could give it its scale', async () => {
  type Events = ReturnType<typeof events>
  const market = () => pipeline('q').from(replay(sample.btcusdt))
  const large = (p: Events) => p.trades().filter((t) => t.qty.ge('0.5'))
  const dear = (p: Events) => p.trades().filter((t) => t.price.ge('0.5'))
  const both = () => events().merge((t) => t.receiveTs, [market()])
  const folder = mkdtempSync(join(tmpdir(), 'velox-'))
  const path = join(folder, 'two.txt')
  const line = (symbol: string) =>
    `6 {"data":{"e":"trade","E":8,"T":7,"s":"${symbol}","t":11,"p":"1.75","q":"0.5","X":"MARKET","m":false}}\n`
  writeFileSync(path, line('BTCUSDT') + line('ETHUSDT'))
  const [two, one] = [undefined, ['ETHUSDT']].map((symbols) =>
    pipeline('p').from(replay(path, symbols ? { symbols } : {})),
  ) as [Events, Events]
  try {
    await refusedAtStart([
      [() => large(both()), 'an instrument whose lot gives decimal text its scale'],
      [() => dear(both()), 'an instrument whose tick gives decimal text its scale'],
      [() => large(two), 'an instrument whose lot gives decimal text its scale'],
    ])
    expect(await large(one).toArray()).toHaveLength(1)
    // A merge of one market with itself still has one.
    expect(await large(market().merge((t) => t.receiveTs, [market()])).toArray()).not.toHaveLength(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
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
