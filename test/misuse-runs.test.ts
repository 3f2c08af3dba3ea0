// What a new user gets wrong with a run: each is told in a sentence, before anything starts where it can be known by then.
import { count, fromIterable, param, pipeline, poisson, RingBuffer, type Run, Trade, u8, u32 } from 'velox-engine'
import { expect, test } from 'vitest'
import { expectCode, rejected } from './support/errors.js'
import { book, endless, events, refused, trades } from './support/misuse.js'

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
