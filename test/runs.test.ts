// Runs while they go and how a script ends them: pause, batches, signals, disposal, and what is told of a stage at work.
import { getEventListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Batch,
  count,
  discard,
  fromIterable,
  type Infer,
  pipeline,
  poisson,
  RingBuffer,
  type Stats,
  Trade,
  Transaction,
  u32,
} from 'velox-engine'
import { expect, test } from 'vitest'
import busy from './stages/busy.js'
import large from './stages/large.js'
import { expectCode, rejected } from './support/errors.js'

const arrivals = (perSecond: number, o: { count?: number; pace?: 'max' } = {}) =>
  pipeline('p').from(poisson({ perSecond, ...o }))

/** The accounts of the run at this moment. */
async function now(run: { stats(o: { everyMillis: number }): AsyncIterable<Stats> }): Promise<Stats> {
  for await (const stats of run.stats({ everyMillis: 1 })) return stats
  throw new Error('the run is over')
}

/** What the stages have counted: the share of time that they were busy changes by itself. */
const accounts = (stats: Stats) => stats.stages.map(({ busy: _, ...counted }) => counted)

/** Waits for what is to come: the test's own time-out is the only bound. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(5)
}

// ---- pause ----------------------------------------------------------------------------------------------------------

test('a paused source gives nothing, what is on its way goes on, and the run goes on after it', async () => {
  for (const threads of [1, 3]) {
    const run = await arrivals(50_000).trades().to(count()).start({ threads })
    const given = async () => (await now(run)).stages[0]?.out as number
    await until(async () => (await given()) > 100)
    run.pause()
    await until(async () => {
      const { stages, edges } = await now(run)
      return edges.every(({ inFlight }) => inFlight === 0) && stages[0]?.out === (await given())
    })
    const paused = await now(run)
    await delay(100)
    expect(accounts(await now(run))).toEqual(accounts(paused))
    run.resume()
    await until(async () => (await given()) > (paused.stages[0]?.out as number))
    const report = await run.stop()
    expect(report.balanced).toBe(true)
    expect(report.edges.every(({ inFlight }) => inFlight === 0)).toBe(true)
  }
})

test('what was scheduled shifts by as long as the pause: it is no latency', async () => {
  const pauseMillis = 1000
  const run = await arrivals(10_000, { count: 500 }).trades().to(count()).start()
  run.pause()
  await delay(pauseMillis)
  run.resume()
  const report = await run.done()
  expect(report).toMatchObject({ balanced: true })
  expect(report.stages.at(-1)?.consumed).toBe(500)
  expect(Number(report.elapsedNanos)).toBeGreaterThan(pauseMillis * 1e6)
  expect(report.endToEndNanos?.p50).toBeLessThan((pauseMillis * 1e6) / 2)
})

test('an iterable is asked for no more than the ring holds while its run is paused', async () => {
  let asked = 0
  function* numbers() {
    for (; asked < 20_000; asked++) yield asked
  }
  const run = await pipeline('p').from(fromIterable(u32, numbers())).to(count()).start()
  run.pause()
  let before = -1
  await until(async () => {
    const isStill = asked === before
    before = asked
    await delay(50)
    return isStill
  })
  const paused = await now(run)
  expect(asked - (paused.stages[0]?.out as number)).toBeLessThanOrEqual(4096)
  run.resume()
  const report = await run.done()
  expect(report.balanced).toBe(true)
  expect(report.stages[1]?.consumed).toBe(20_000)
})

test('a paused run can be stopped, aborted and disposed of, and pausing one that is over does nothing', async () => {
  const chain = arrivals(10_000).trades().to(count())
  const stopped = await chain.start()
  stopped.pause()
  expect((await stopped.stop()).balanced).toBe(true)
  stopped.pause()
  stopped.resume()
  const aborted = await chain.start({ threads: 2 })
  aborted.pause()
  aborted.abort('enough')
  expect((await rejected(aborted.done())).code).toBe('VELOX_RUN_ABORTED')
  const disposed = await chain.start()
  disposed.pause()
  await disposed[Symbol.asyncDispose]()
  expect((await disposed.done()).balanced).toBe(true)
})

// ---- placement ------------------------------------------------------------------------------------------------------

test('runs that spin leave the event loop a core, over all of them, until one ends', async () => {
  const chain = arrivals(1_000).trades().to(count())
  const spin = () => chain.start({ wait: 'spin' })
  const runs = [await spin()]
  const cores = Number(/ on core \d+ of (\d+)/.exec(runs[0]?.placement[0]?.why ?? '')?.[1] ?? 1)
  while (runs.length < cores) runs.push(await spin())
  const placed = runs.flatMap(({ placement }) => placement)
  expect(placed.map(({ wait }) => wait)).toEqual([...Array<string>(cores - 1).fill('spin'), 'backoff'])
  const down = Array.from({ length: cores - 1 }, (_, i) => cores - 1 - i)
  expect(placed.map(({ core }) => core)).toEqual([...down, undefined])
  expect(placed.at(-1)?.why).toContain('waits by backoff, not pinned: ')
  expect(chain.explain({ wait: 'spin' })).toContain('thread 1 (backoff): ')
  expect((await runs[0]?.stop())?.placement).toEqual([placed[0]])
  const again = await spin()
  expect(again.placement).toEqual([placed[0]])
  for (const run of [again, ...runs]) expect((await run.stop()).balanced).toBe(true)
})

// ---- batches --------------------------------------------------------------------------------------------------------

test('batches give every record in order to a reader that is slower than the source', async () => {
  const run = await pipeline('p')
    .from(
      fromIterable(
        u32,
        Array.from({ length: 10_000 }, (_, i) => i),
      ),
    )
    .sampleEvery(1, { capacity: 64 })
    .start()
  const all: number[] = []
  for await (const batch of run.batches()) {
    all.push(...batch.toArray())
    await delay(1)
  }
  expect(all).toEqual(Array.from({ length: 10_000 }, (_, i) => i))
  expect(await run.done()).toMatchObject({ balanced: true })
})

test('what nobody read of the batches counts as dropped when the run is stopped', async () => {
  const run = await arrivals(1e6, { pace: 'max' }).trades({ capacity: 256 }).start()
  await until(async () => ((await now(run)).stages.at(-1)?.in as number) >= 256)
  const report = await run.stop()
  expect(report.balanced).toBe(true)
  const [edge] = report.edges.filter(({ to }) => to === 'batches')
  expect(edge?.dropped).toBe(report.stages[1]?.out)
  expect(edge).toMatchObject({ offered: edge?.dropped, pushed: 0, popped: 0, inFlight: 0 })
})

test('after a reader left its loop, a stop drops the rest and all adds up', async () => {
  for (const leave of ['break', 'throw'] as const) {
    const run = await arrivals(1e6, { pace: 'max' }).trades({ capacity: 256 }).start()
    let read = 0
    const reading = async () => {
      for await (const batch of run.batches()) {
        read += batch.length
        if (read < 2000) continue
        if (leave === 'throw') throw new Error('enough')
        break
      }
    }
    await reading().catch((error: Error) => expect(error.message).toBe('enough'))
    const report = await run.stop()
    const [edge] = report.edges.filter(({ to }) => to === 'batches')
    expect(report.balanced).toBe(true)
    expect(edge?.popped).toBe(read)
    expect(edge?.offered).toBe(read + (edge?.dropped as number))
  }
})

test('batches have one reader at a time, and the next one goes on where it left', async () => {
  const run = await pipeline('p')
    .from(
      fromIterable(
        u32,
        Array.from({ length: 5_000 }, (_, i) => i),
      ),
    )
    .sampleEvery(1)
    .start()
  const all: number[] = []
  for await (const batch of run.batches()) {
    all.push(...batch.toArray())
    const second = run.batches()[Symbol.asyncIterator]()
    const error = await rejected(second.next())
    expect([error.code, error.message]).toEqual([
      'VELOX_INVALID_VALUE',
      expect.stringContaining('one reader at a time'),
    ])
    if (all.length > 0) break
  }
  for await (const batch of run.batches()) all.push(...batch.toArray())
  expect(all).toEqual(Array.from({ length: 5_000 }, (_, i) => i))
  expect((await run.done()).balanced).toBe(true)
})

test('a batch is gone with its turn', async () => {
  const run = await arrivals(1e6, { count: 5_000, pace: 'max' }).trades().start()
  const kept: Batch<typeof Trade>[] = []
  for await (const batch of run.batches()) {
    expect(batch.at(0).qty).toBeGreaterThan(0)
    kept.push(batch)
  }
  expectCode(() => kept[0]?.at(0), 'VELOX_STALE_BATCH')
  expectCode(() => kept[0]?.price(0), 'VELOX_STALE_BATCH')
})

test('a signal ends the reading and not the run', async () => {
  const run = await arrivals(100).trades().start()
  const enough = new AbortController()
  setTimeout(() => enough.abort(), 50)
  for await (const _ of run.batches({ signal: enough.signal }));
  expect(getEventListeners(enough.signal, 'abort')).toHaveLength(0)
  for await (const batch of run.batches()) {
    expect(batch.length).toBeGreaterThan(0)
    break
  }
  expect((await run.stop()).balanced).toBe(true)
})

test('a reader that waits for a quiet source is let go by the end of the run', async () => {
  for (const end of ['stop', 'abort'] as const) {
    const run = await arrivals(0.001).trades().start()
    const read = async () => {
      for await (const _ of run.batches());
    }
    const reading = end === 'stop' ? read() : rejected(read())
    await delay(20)
    void run[end]()
    const told = await reading
    if (end === 'stop') expect((await run.done()).balanced).toBe(true)
    else expect([told?.code, (await rejected(run.done())).code]).toEqual(['VELOX_RUN_ABORTED', 'VELOX_RUN_ABORTED'])
  }
})

test('what lies in the ring when the run has ended is still read', async () => {
  const run = await arrivals(1e6, { count: 1000, pace: 'max' }).trades().start()
  expect((await run.done()).balanced).toBe(true)
  let read = 0
  for await (const batch of run.batches()) read += batch.length
  expect(read).toBe(1000)
})

test('a last step that drops never holds up the run, and says what it cost', async () => {
  const run = await arrivals(1e6, { count: 20_000, pace: 'max' }).trades({ whenFull: 'drop', capacity: 64 }).start()
  const report = await run.done()
  const [edge] = report.edges.filter(({ to }) => to === 'batches')
  expect(report.balanced).toBe(true)
  // The edge into the step drops too.
  expect(report.edges[0]?.offered).toBe(40_000)
  expect(edge?.offered).toBe(report.stages[1]?.out)
  expect([edge?.dropped, edge?.highWater]).toEqual([(edge?.offered as number) - 64, 64])
  let read = 0
  for await (const batch of run.batches()) read += batch.length
  expect(read).toBe(64)
})

test('a run that ends in a sink has no batches', async () => {
  const run = await arrivals(1000).to(count()).start()
  expectCode(() => run.batches(), 'VELOX_INVALID_VALUE', 'a sink')
  await run.stop()
})

// ---- tap ------------------------------------------------------------------------------------------------------------

test('a tap has seen everything when done() resolves, and nothing comes after it', async () => {
  for (let i = 0; i < 10; i++) {
    let seen = 0
    const run = await arrivals(1e6, { count: 6_000, pace: 'max' })
      .trades()
      .tap((batch) => {
        // Slower than the engine, so that much is left when the last native stage is through.
        for (const end = performance.now() + 3; performance.now() < end; );
        seen += batch.length
      })
      .to(count())
      .start()
    await run.done()
    expect(seen).toBe(6_000)
  }
})

test('a tap sees nothing more once an abort is through', async () => {
  let calls = 0
  const run = await arrivals(200_000)
    .trades()
    .tap(() => {
      calls++
      for (const end = performance.now() + 3; performance.now() < end; );
    })
    .to(count())
    .start()
  await until(() => calls > 3)
  run.abort('enough')
  await rejected(run.done())
  const before = calls
  await delay(30)
  expect(calls).toBe(before)
})

// ---- signals and disposal -------------------------------------------------------------------------------------------

test('stopOn ends a run for the reader of its batches too, and a signal that outlives the run is let go', async () => {
  const [stopOn, signal] = [new AbortController(), new AbortController()]
  const run = await arrivals(50_000).trades().start({ stopOn: stopOn.signal, signal: signal.signal })
  let read = 0
  for await (const batch of run.batches()) {
    read += batch.length
    if (read > 500) stopOn.abort()
  }
  const report = await run.done()
  expect(report.balanced).toBe(true)
  expect(report.stages.at(-1)?.consumed).toBe(read)
  expect(getEventListeners(stopOn.signal, 'abort')).toHaveLength(0)
  expect(getEventListeners(signal.signal, 'abort')).toHaveLength(0)
  signal.abort()
  expect((await run.done()).balanced).toBe(true)
})

test('a signal that fell before the start stops or aborts at once', async () => {
  const chain = arrivals(1000).to(count())
  const stopped = await chain.start({ stopOn: AbortSignal.abort() })
  expect((await stopped.done()).balanced).toBe(true)
  const reason = new Error('too late')
  const error = await rejected(chain.start({ signal: AbortSignal.abort(reason) }))
  expect([error.code, error.cause]).toEqual(['VELOX_RUN_ABORTED', reason])
})

test('leaving a scope ends the run in it, by its end, by an exception, and with batches that nobody reads', async () => {
  const reports: Promise<{ balanced: boolean }>[] = []
  const scope = async (leave: 'end' | 'throw') => {
    await using run = await arrivals(1e6, { pace: 'max' }).trades({ capacity: 64 }).start()
    reports.push(run.done())
    for await (const batch of run.batches()) if (batch.length > 0) break
    if (leave === 'throw') throw new RangeError('of the scope')
  }
  await scope('end')
  await expect(scope('throw')).rejects.toThrow('of the scope')
  for (const report of reports) expect((await report).balanced).toBe(true)
})

test('leaving a scope ends a run whose last ring nobody reads, and keeps the exception', async () => {
  let done: Promise<unknown> | undefined
  const scope = async () => {
    const ring = new RingBuffer(Transaction, 64)
    await using run = await arrivals(1e6, { pace: 'max' }).trades().transactions().to(ring).start()
    done = run.done()
    done.catch(() => {})
    await until(() => ring.isFull)
    throw new RangeError('of the scope')
  }
  await expect(scope()).rejects.toThrow('of the scope')
  expect((await rejected(done as Promise<unknown>)).code).toBe('VELOX_RUN_ABORTED')
})

test('disposal waits for a reader that goes on', async () => {
  const ring = new RingBuffer(Transaction, 64)
  let read = 0
  const run = await arrivals(1e6, { pace: 'max' }).trades().transactions().to(ring).start()
  const reader = setInterval(() => {
    read += ring.popMany(64).length
  }, 200)
  await until(() => ring.isFull)
  await run[Symbol.asyncDispose]()
  clearInterval(reader)
  const report = await run.done()
  expect(report.balanced).toBe(true)
  expect(report.stages.at(-1)?.consumed).toBe(read + ring.length)
})

test('disposal waits for callbacks, and takes a run that is over or has failed', async () => {
  let calls = 0
  {
    await using run = await arrivals(200_000)
      .trades()
      .tap(() => void calls++)
      .to(discard())
      .start()
    await until(() => calls > 3)
    await run.stop()
  }
  const before = calls
  {
    await using failing = await pipeline('p')
      .from(
        fromIterable(u32, {
          [Symbol.iterator](): Iterator<number> {
            throw new RangeError('no numbers')
          },
        }),
      )
      .to(discard())
      .start()
    expect((await rejected(failing.done())).code).toBe('VELOX_STAGE_FAILED')
  }
  await delay(20)
  expect(calls).toBe(before)
})

test('an iterable that waits for its next value is told when its run is over', async () => {
  for (const end of ['stop', 'abort'] as const) {
    let returned = 0
    const quiet = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => {}),
        return: async () => {
          returned++
          return { done: true as const, value: undefined }
        },
      }),
    }
    const run = await pipeline('p').from(fromIterable(u32, quiet)).to(count()).start()
    void run[end]()
    await run.done().catch(() => {})
    await until(() => returned === 1)
  }
  let closed = 0
  function* few() {
    try {
      yield* [1, 2, 3]
    } finally {
      closed++
    }
  }
  expect(await pipeline('p').from(fromIterable(u32, few())).toArray()).toEqual([1, 2, 3])
  expect(closed).toBe(1)
})

// ---- stuck or idle --------------------------------------------------------------------------------------------------

const stuckOf = ({ stages }: Stats) => stages.filter(({ stuck }) => stuck).map(({ name }) => name)

test('a stage that does not come back is told by its name, one that waits for it is not, and the flag goes', async () => {
  const input = new RingBuffer(Trade, 256)
  const chain = pipeline('p')
    .from(input)
    .stage(busy, { name: 'busy', params: { millis: 2500 } })
    .stage(large, { name: 'quiet' })
    .to(count())
  const threads = [{ stages: ['ring'] }, { stages: ['busy'] }, { stages: ['quiet', 'count'] }]
  const run = await chain.start({ threads })
  const trade: Infer<typeof Trade> = {
    ...{ id: 1, instrument: 0, side: 'bid', price: 1, qty: 1, exchangeTs: 0n, receiveTs: 0n },
  }
  input.push(trade)
  const seen: string[][] = []
  let passed = 0
  for await (const stats of run.stats({ everyMillis: 25 })) {
    seen.push(stuckOf(stats))
    if ((stats.stages.at(-1)?.consumed as number) === 0) continue
    // Once more than a second after it came back: what only waits since then is not stuck.
    if (++passed === 60) input.close()
  }
  const first = seen.findIndex((names) => names.length > 0)
  const last = seen.findLastIndex((names) => names.length > 0)
  expect(first).toBeGreaterThan(0)
  expect(new Set(seen.flat())).toEqual(new Set(['busy']))
  expect(last).toBeLessThan(seen.length - 40)
  expect((await run.done()).balanced).toBe(true)
})

test('a run that waits is not stuck: for records, in a pause, for room, or with a thread that is through', async () => {
  const full = new RingBuffer(Transaction, 64)
  const runs = [
    await arrivals(0.001).trades().stage(large).to(count()).start({ threads: 2 }),
    await arrivals(10_000).trades().stage(large).to(count()).start(),
    await arrivals(1e6, { pace: 'max' }).trades().transactions().to(full).start(),
    await arrivals(1e6, { count: 500, pace: 'max' })
      .trades()
      .transactions()
      .to(new RingBuffer(Transaction, 64))
      .start({ threads: [{ stages: ['poisson'] }, { stages: ['trades', 'transactions', 'ring'] }] }),
  ]
  runs[1]?.pause()
  await delay(1300)
  for (const run of runs) expect(stuckOf(await now(run))).toEqual([])
  for (const run of runs) {
    run.abort('enough')
    expect((await rejected(run.done())).code).toBe('VELOX_RUN_ABORTED')
  }
})
