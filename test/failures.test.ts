// What breaks fails its run with VELOX_STAGE_FAILED, its name and its cause; the rest ends, and nothing else notices.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  count,
  discard,
  fromIterable,
  pipeline,
  poisson,
  RingBuffer,
  type Run,
  Trade,
  Transaction,
  u32,
  type VeloxError,
} from 'velox-engine'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import breaks, { HOWS } from './stages/breaks.js'
import large from './stages/large.js'
import unloadable from './stages/unloadable.js'
import { rejected } from './support/errors.js'

/** Only a guard against a run that hangs: how fast it is, is no matter of a test. */
const HANG_MILLIS = 10_000

const unhandled: unknown[] = []
const note = (error: unknown) => unhandled.push(error)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

/** Native threads of runs, where the system tells. */
function threads(): string[] {
  const tasks = '/proc/self/task'
  if (!existsSync(tasks)) return []
  return readdirSync(tasks).flatMap((id) => {
    try {
      const name = readFileSync(`${tasks}/${id}/comm`, 'utf8')
      return name.startsWith('velox-') ? [name] : []
    } catch {
      return []
    }
  })
}

afterEach(async () => {
  const end = Date.now() + HANG_MILLIS
  while (threads().length > 0 && Date.now() < end) await delay(5)
  expect(threads()).toEqual([])
  expect(unhandled).toEqual([])
})

/** What a run fails of; refused where it doesn't end. */
async function failure(done: Promise<unknown>): Promise<VeloxError> {
  const guard = new AbortController()
  const hangs = delay(HANG_MILLIS, undefined, { signal: guard.signal }).then(() => {
    throw new Error('the run did not end')
  })
  hangs.catch(() => {})
  try {
    const error = await rejected(Promise.race([done, hangs]))
    expect(error.code).toBe('VELOX_STAGE_FAILED')
    return error
  } finally {
    guard.abort()
  }
}

const flow = () => pipeline('p').from(poisson({ perSecond: 200_000 }))
const broken = (how: string) =>
  flow()
    .trades()
    .stage(breaks, { name: 'mine', params: { how: HOWS.indexOf(how) } })

/** A run that has a branch beside, a stage in a worker of its own behind, and batches at its end. */
const WIDE = { threads: 4 } as const
const wide = (how: string): Promise<Run<typeof Transaction>> =>
  flow()
    .tee((p) => p.trades().to(discard()))
    .trades()
    .stage(breaks, { name: 'mine', params: { how: HOWS.indexOf(how) } })
    .stage(large, { name: 'behind' })
    .transactions()
    .start(WIDE)

for (const [how, cause] of [
  ['throws', new RangeError('a bug of the stage')],
  ['exits', new Error('the worker of a stage exited with code 3')],
  ['throws from a timer', new RangeError('a bug of a timer')],
  ['rejects a promise', new RangeError('a bug of a promise')],
] as const) {
  test(`a stage that ${how} fails its run by its name`, async () => {
    const error = await failure((await broken(how).to(count()).start()).done())
    expect(error.context).toEqual({ stage: 'mine' })
    expect(error.cause).toEqual(cause)
    expect(error.message).toBe(`the stage mine failed: ${cause.message}`)
  })

  test(`a stage that ${how} ends the branches, the workers and the batches of its run`, async () => {
    const run = await wide(how)
    const reading = failure(
      (async () => {
        for await (const _ of run.batches());
      })(),
    )
    const error = await failure(run.done())
    expect((await reading).message).toBe(error.message)
    expect(error.context).toEqual({ stage: 'mine' })
    expect(error.cause).toEqual(cause)
  })

  test(`a stage that ${how} ends a run whose last ring is full`, async () => {
    const run = await flow()
      .tee((p) => p.trades().transactions().to(new RingBuffer(Transaction, 64), { whenFull: 'drop' }))
      .trades()
      .tee((p) => p.stage(breaks, { name: 'mine', params: { how: HOWS.indexOf(how) } }).to(count()), { name: 'all' })
      .transactions({ capacity: 64 })
      .start({ threads: 3 })
    expect((await failure(run.done())).context).toEqual({ stage: 'mine' })
  })
}

test('what a stage throws that is no error and can not be cloned is told as text', async () => {
  const error = await failure((await broken('throws what is no error').to(count()).start()).done())
  expect(error.context).toEqual({ stage: 'mine' })
  expect(error.cause).toBeInstanceOf(Error)
})

test('a stage whose module throws when it is loaded fails the start by its name', async () => {
  const error = await failure(flow().trades().stage(unloadable, { name: 'mine' }).to(count()).start({ threads: 3 }))
  expect([error.context, error.cause]).toEqual([{ stage: 'mine' }, new RangeError('no loading')])
})

/** A run whose stage never comes back, and what makes its source break. */
async function hanging() {
  const stuck = new AbortController()
  const trade = { id: 1, instrument: 0, side: 'bid', price: 1, qty: 1, exchangeTs: 0, receiveTs: 0 } as const
  const trades = async function* () {
    while (!stuck.signal.aborted) {
      yield trade
      await delay(2)
    }
    throw new RangeError('a bug of the source')
  }
  const run = await pipeline('p')
    .from(fromIterable(Trade, trades()))
    .stage(breaks, { name: 'hangs', params: { how: HOWS.indexOf('never comes back') } })
    .stage(large)
    .to(discard())
    .start({ threads: 3 })
  for await (const { stages } of run.stats({ everyMillis: 50 })) if (stages.some(({ stuck }) => stuck)) break
  return { run, breaks: () => stuck.abort() }
}

test('a source that breaks ends a run with a stage that never comes back, soon', async () => {
  let shortest = Number.POSITIVE_INFINITY
  // It is a second on a machine that has a core for it; best of three, and another second, for one that is busy.
  for (let runs = 0; runs < 3 && shortest >= 2_000; runs++) {
    const { run, breaks } = await hanging()
    const from = performance.now()
    breaks()
    const error = await failure(run.done())
    shortest = Math.min(shortest, performance.now() - from)
    expect([error.context, error.cause]).toEqual([{ stage: 'iterable' }, new RangeError('a bug of the source')])
  }
  expect(shortest).toBeLessThan(2_000)
})

for (const [where, capacity, threads] of [
  [
    'a later',
    1024,
    [
      ['poisson', 'trades', 'tee', 'transactions', 'ring'],
      ['hangs', 'count'],
    ],
  ],
  [
    'an earlier',
    64,
    [
      ['poisson', 'trades', 'tee', 'hangs', 'count'],
      ['transactions', 'ring'],
    ],
  ],
] as const) {
  test(`a native stage that fails is the one that is told, though a stage on ${where} thread never comes back`, async () => {
    const ring = new RingBuffer(Transaction, capacity)
    // More than the ring takes, so that its stage waits for room when the other one is stuck.
    const run = await pipeline('p')
      .from(poisson({ perSecond: 200_000, pace: 'max' }))
      .trades()
      .tee((p) =>
        p
          .stage(breaks, { name: 'hangs', whenFull: 'drop', params: { how: HOWS.indexOf('never comes back') } })
          .to(count()),
      )
      .transactions()
      .to(ring)
      .start({ threads: threads.map((stages) => ({ stages: [...stages] })) })
    for await (const { stages } of run.stats({ everyMillis: 50 })) if (stages.some(({ stuck }) => stuck)) break
    // A closed ring takes nothing more, of which its stage fails.
    ring.close()
    const error = await failure(run.done())
    expect(error.context).toEqual({ stage: 'ring' })
  })
}

test('a stage that never comes back is ended by an abort, with its reason', async () => {
  const run = await wide('never comes back')
  for await (const { stages } of run.stats({ everyMillis: 50 })) if (stages.some(({ stuck }) => stuck)) break
  const reason = new Error('it is stuck')
  run.abort(reason)
  const error = await rejected(run.done())
  expect([error.code, error.cause]).toEqual(['VELOX_RUN_ABORTED', reason])
})

test('toArray rejects as the run does', async () => {
  const error = await failure(broken('throws').toArray())
  expect([error.context, error.cause]).toEqual([{ stage: 'mine' }, new RangeError('a bug of the stage')])
})

for (const [kind, values] of [
  [
    'async iterable',
    async function* () {
      yield 1
      await delay(1)
      throw new RangeError('a bug of the source')
    },
  ],
  [
    'iterable',
    function* () {
      yield 1
      throw new RangeError('a bug of the source')
    },
  ],
] as const) {
  test(`an ${kind} that throws fails its run, after what it gave`, async () => {
    const run = await pipeline('p').from(fromIterable(u32, values())).start({ threads: 2 })
    const error = await failure(run.done())
    expect(error.context).toEqual({ stage: 'iterable' })
    expect(error.cause).toEqual(new RangeError('a bug of the source'))
    expect(error.message).toBe('the stage iterable failed: a bug of the source')
  })
}

test('an iterable that gives what is no such record fails its run and is told to close', async () => {
  let closed = 0
  const numbers = function* () {
    try {
      yield 1
      yield 'two' as unknown as number
      yield 3
    } finally {
      closed++
    }
  }
  const run = await pipeline('p').from(fromIterable(u32, numbers())).to(count()).start()
  const error = await failure(run.done())
  expect(error.context).toEqual({ stage: 'iterable' })
  expect(error.cause).toMatchObject({ code: 'VELOX_INVALID_VALUE' })
  expect(closed).toBe(1)
})

test('a tap whose function throws fails its run by its name, and is not called again', async () => {
  for (const name of [undefined, 'mine']) {
    let calls = 0
    const tapped = flow()
      .trades()
      .tap(
        () => {
          if (++calls === 3) throw new RangeError('a bug of the callback')
        },
        name === undefined ? {} : { name },
      )
    for (const chain of [tapped.to(count()), tapped.stage(large).transactions()]) {
      calls = 0
      const error = await failure((await chain.start({ threads: 2 })).done())
      expect(error.context).toEqual({ stage: `${name ?? 'tap'} callback` })
      expect(error.cause).toEqual(new RangeError('a bug of the callback'))
      await delay(20)
      expect(calls).toBe(3)
    }
  }
})

test('a tap whose function throws at what is left when the native stages are through fails the run too', async () => {
  let seen = 0
  const run = await pipeline('p')
    .from(poisson({ perSecond: 1e6, count: 4_000, pace: 'max' }))
    .trades()
    .tap((batch) => {
      for (const end = performance.now() + 10; performance.now() < end; );
      seen += batch.length
      if (seen === 4_000) throw new RangeError('at the last batch')
    })
    .to(count())
    .start()
  const error = await failure(run.done())
  expect([error.context, error.cause]).toEqual([{ stage: 'tap callback' }, new RangeError('at the last batch')])
})

test('the first of several that break is the one that is told', async () => {
  const run = await flow()
    .trades()
    .tap(() => {
      throw new RangeError('the first')
    })
    .stage(breaks, { name: 'second', params: { how: HOWS.indexOf('throws') } })
    .to(count())
    .start({ threads: 3 })
  const error = await failure(run.done())
  const told = [error.context, error.cause]
  expect([
    [{ stage: 'tap callback' }, new RangeError('the first')],
    [{ stage: 'second' }, new RangeError('a bug of the stage')],
  ]).toContainEqual(told)
})

test('a run that failed while nobody waited for it still tells everybody who asks', async () => {
  const run = await broken('throws').start()
  for await (const _ of run.stats({ everyMillis: 5 }));
  for (const asked of [run.done(), run.done(), run.stop()])
    expect((await failure(asked)).cause).toEqual(new RangeError('a bug of the stage'))
  run.abort('too late')
  expect((await failure(run.done())).context).toEqual({ stage: 'mine' })
  await run[Symbol.asyncDispose]()
})

test('one run that fails leaves another one in the same process alone', async () => {
  const good = await pipeline('good')
    .from(poisson({ perSecond: 50_000 }))
    .trades()
    .stage(large)
    .to(count())
    .start()
  await failure((await broken('exits').to(count()).start()).done())
  const consumed = async () => {
    for await (const { stages } of good.stats({ everyMillis: 5 })) return stages[0]?.out as number
    throw new Error('the good run is over')
  }
  const before = await consumed()
  while ((await consumed()) <= before);
  const report = await good.stop()
  expect(report.balanced).toBe(true)
  expect(report.stages[1]?.name).toBe('trades')
})
