import { setTimeout as delay } from 'node:timers/promises'
import { BroadcastChannel } from 'node:worker_threads'
import { count, L2Book, pipeline, poisson, RingBuffer, replay, type Stats, sample, Trade } from 'velox-engine'
import { expect, test } from 'vitest'
import columns from './stages/columns.js'
import faulty from './stages/faulty.js'
import half from './stages/half.js'
import large from './stages/large.js'
import mid, { Mid } from './stages/mid.js'
import never from './stages/never.js'
import note, { Note } from './stages/note.js'
import odd from './stages/odd.js'
import pair, { Pair } from './stages/pair.js'
import quiet from './stages/quiet.js'
import spike, { Spike } from './stages/spike.js'
import turns from './stages/turns.js'
import { expectCode, rejected } from './support/errors.js'
import { script } from './support/node.js'

const trades = (name = 'p') => pipeline(name).from(replay(sample.btcusdt)).trades()

/** What a stage tells on a channel of this name. */
function heard<T>(name: string): Promise<T> {
  const channel = new BroadcastChannel(name)
  return new Promise((resolve) => {
    channel.onmessage = (event) => {
      channel.close()
      resolve((event as MessageEvent).data as T)
    }
  })
}

/** The trades of the sample, by a native run. */
async function sampleTrades() {
  const ring = new RingBuffer(Trade, 16_384)
  await (await trades().to(ring).start()).done()
  return ring.popMany(16_384)
}

test('a stage writes records of its own, the same ones on any threads', async () => {
  const all = await sampleTrades()
  let last = Infinity
  const expected = all.flatMap(({ id, price }) => {
    const spikes = price > last * 1.00001
    last = price
    return spikes ? [{ id, price }] : []
  })
  expect(expected.length).toBeGreaterThan(10)
  for (const o of [{}, { threads: 2 }, { threads: 4, wait: 'block' }] as const) {
    const ring = new RingBuffer(Spike, 16_384)
    const run = await trades()
      .stage(spike, { params: { ratio: 1.00001 } })
      .to(ring)
      .start(o)
    const report = await run.done()
    expect(report.balanced).toBe(true)
    expect(ring.popMany(16_384)).toEqual(expected)
    expect(report.stages[2]).toMatchObject({ name: 'stage', in: all.length, out: expected.length })
  }
})

test('a stage lets records pass by their indices, between native stages', async () => {
  const all = await sampleTrades()
  const least = 100
  const large_ = all.filter(({ qty }) => qty >= least)
  const chain = trades().stage(large, { params: { least }, name: 'large' }).transactions().bundle().to(count())
  const report = await (await chain.start()).done()
  expect(report).toMatchObject({ balanced: true, nonDeterministic: [] })
  expect(report.stages[2]).toMatchObject({
    name: 'large',
    consumed: large_.length,
    filtered: all.length - large_.length,
  })
  expect(report.stages[3]).toMatchObject({ name: 'transactions', consumed: large_.length })
})

test('two stages share a worker', async () => {
  const chain = trades()
    .stage(large, { params: { least: 100 } })
    .stage(large, { params: { least: 1000 } })
  const report = await (await chain.to(count()).start()).done()
  const all = await sampleTrades()
  expect(report.stages.map(({ name }) => name)).toEqual(['replay', 'trades', 'stage', 'stage-2', 'count'])
  expect(report.stages[4]?.consumed).toBe(all.filter(({ qty }) => qty >= 1000).length)
})

test('a stage reads any field of any batch, whichever it read before', async () => {
  const market = poisson({ perSecond: 1e5, count: 200_000, pace: 'max' })
  const report = await (await pipeline('p').from(market).trades().stage(columns).to(count()).start()).done()
  expect(report.stages[2]).toMatchObject({ in: 200_000, consumed: 200_000, filtered: 0 })
})

test('a stage reads records of its own, with fields of any kind', async () => {
  const [input, output] = [new RingBuffer(Note, 4096), new RingBuffer(Note, 4096)]
  const notes = Array.from({ length: 3_000 }, (_, id) => {
    const note = { id, text: `näher ${id}`.slice(0, 18), when: 1_722_000_000_123_456_789n + BigInt(id) }
    return { ...note, ok: id % 3 === 0, ratio: id / 7, big: 2 ** 40 + id }
  })
  input.pushMany(notes)
  input.close()
  expect((await (await pipeline('p').from(input).stage(note).to(output).start()).done()).balanced).toBe(true)
  expect(output.popMany(4096)).toEqual(notes)
})

for (const [how, writes] of [
  ['keeps records', 0],
  ['writes records field by field', 1],
] as const)
  test(`a stage that ${how} makes no garbage, and its event loop has its turn`, async () => {
    const told = heard<Record<'grown' | 'millis' | 'turns', number>>('quiet')
    const market = poisson({ perSecond: 1e6, count: 17_000_000, pace: 'max' })
    const chain = pipeline('p').from(market).trades()
    const run = await chain
      .stage(quiet, { params: { writes, warm: 6_000_000, end: 16_000_000 } })
      .to(count())
      .start()
    const report = await run.done()
    expect([report.balanced, report.stages[2]?.filtered === 0]).toEqual([true, writes === 1])
    const { grown, millis, turns: had, ...rest } = await told
    expect(rest).toMatchObject({ scavenges: 0 })
    expect(grown).toBeLessThan(2 ** 20)
    expect(had).toBeGreaterThanOrEqual(Math.floor(millis / 100))
  })

for (const wait of ['spin', 'yield', 'backoff', 'block'] as const)
  test(`a worker that waits for records by ${wait} gives its event loop its turn`, async () => {
    const chain = pipeline('p')
      .from(poisson({ perSecond: 20 }))
      .trades()
    let shortest = Number.POSITIVE_INFINITY
    // Best of three, and far more than the 50 ms of a slice: the machine may hold a turn up.
    for (let runs = 0; runs < 3 && shortest >= 400; runs++) {
      const told = heard<{ millis: number; turns: number; longest: number }>('turns')
      const run = await chain.stage(turns).to(count()).start({ wait })
      await delay(1_500)
      expect((await run.stop()).balanced).toBe(true)
      const { millis, turns: had, longest } = await told
      // One every 50 ms was promised to be one every 100.
      expect(had).toBeGreaterThanOrEqual(Math.floor(millis / 100))
      shortest = Math.min(shortest, longest)
    }
    expect(shortest).toBeLessThan(400)
  })

test('a stage sees the books of its pipeline', async () => {
  const market = poisson({ perSecond: 1e5, count: 2_000, pace: 'max' })
  const ring = new RingBuffer(Mid, 4096)
  const book = new L2Book({ instrument: market.instrument() })
  const run = await pipeline('p').from(market).book(book).trades().stage(mid).to(ring).start()
  expect((await run.done()).balanced).toBe(true)
  const seen = ring.popMany(4096)
  expect(seen).toHaveLength(2_000)
  expect(seen.at(-1)).toMatchObject({ bid: book.top()?.bid, ask: book.top()?.ask })
})

test('a stage gets each book of several by the name of its step', async () => {
  // What is made up comes first, so that its book stands still while the recording's moves.
  const [recorded, madeUp] = [replay(sample.btcusdt), poisson({ perSecond: 1e5, count: 2_000, pace: 'max' })]
  const both = () => {
    const spot = new L2Book({ instrument: recorded.instrument() })
    const perp = new L2Book({ instrument: madeUp.instrument() })
    const merged = pipeline('p')
      .from(recorded)
      .merge((t) => t.receiveTs, [pipeline('q').from(madeUp)])
    return { spot, perp, chain: merged.book(spot, { name: 'spot' }).book(perp, { name: 'perp' }).trades() }
  }
  const { spot, perp, chain } = both()
  const seen = await chain.stage(pair).toArray()
  const [bids, last] = [[spot, perp].map((book) => book.top()?.bid), seen.at(-1)]
  expect([last?.spot, last?.perp]).toEqual(bids)
  const early = seen.slice(0, 2_000)
  expect(new Set(early.map(({ spot }) => spot))).toEqual(new Set([0]))
  expect(new Set(early.map(({ perp }) => perp)).size).toBeGreaterThan(100)
  // Native expressions see the same at each trade.
  const expected = await both()
    .chain.filter((_, { books: { spot, perp } }) => spot.bid.gt(0).and(perp.bid.gt(0)))
    .map(Pair, (t, { books: { spot, perp } }) => ({ id: t.id, spot: spot.bid, perp: perp.bid }))
    .toArray()
  expect(expected.length).toBeGreaterThan(11_000)
  expect(seen.filter(({ spot, perp }) => spot > 0 && perp > 0)).toEqual(expected)
})

test('a stage that throws when it has written gives on nothing of that batch, and all accounts add up', async () => {
  for (const keeps of [0, 1]) {
    const ring = new RingBuffer(Trade, 16_384)
    const run = await pipeline('p')
      .from(poisson({ perSecond: 1e5, count: 5_000, pace: 'max' }))
      .trades()
      .stage(half, { name: 'half', params: { keeps } })
      .to(ring)
      .start()
    expect((await rejected(run.done())).message).toBe('the stage half failed: in the middle')
    const { stages, edges } = (run as typeof run & { now(): Stats }).now()
    const taken = stages.find(({ name }) => name === 'half')?.in ?? 0
    // What it has taken are the batches before, and of the one that it broke in nothing is given. Ids count from 1.
    expect(taken).toBeGreaterThan(20)
    expect(ring.popMany(16_384).map(({ id }) => id)).toEqual(Array.from({ length: taken }, (_, i) => i + 1))
    for (const s of stages) expect(s.in, s.name).toBe(s.consumed + s.filtered + s.conflated + s.errors + s.held)
    for (const e of edges) expect([e.offered, e.pushed]).toEqual([e.pushed + e.dropped, e.popped + e.inFlight])
  }
})

test('what a stage gets wrong fails the run by its name, with its own error as the cause', async () => {
  for (const [fault, text] of [
    [0, 'a bug of the stage'],
    [1, 'poll: expected nothing or a Uint32Array, at once, got an object Promise'],
    [2, 'indices'],
    [3, 'a Uint32Array, at once, got an array of 1'],
    [4, 'instrument: expected'],
    [6, 'i: expected an index of the batch, behind the last one, got 0'],
    [7, 'i: expected an index of the batch'],
    [8, 'records written or the indices of those that pass'],
    [9, 'records written or the indices of those that pass, got both, and 0 that pass'],
  ] as const) {
    const run = await trades().stage(faulty, { params: { fault }, name: 'mine' }).to(count()).start()
    const error = await rejected(run.done())
    expect(error.code).toBe('VELOX_STAGE_FAILED')
    expect(error.message).toContain('the stage mine failed: ')
    expect(error.message).toContain(text)
    if (fault === 0) expect(error.cause).toBeInstanceOf(RangeError)
  }
})

test('a worker that dies fails the run and not the process', async () => {
  const run = await trades()
    .stage(faulty, { params: { fault: 5 } })
    .to(count())
    .start()
  expect((await rejected(run.done())).code).toBe('VELOX_STAGE_FAILED')
})

test('a stage that leaves a timer open or talks to its parent does not hold or end the run', async () => {
  for (const what of [1, 2]) {
    const report = await (await trades().stage(odd, { params: { what } }).to(count()).start()).done()
    expect(report.balanced).toBe(true)
  }
})

test('what a stage throws when it opens or closes is told by its name', async () => {
  const start = (what: number) =>
    trades().stage(odd, { params: { what }, name: 'mine' }).to(count()).start({ threads: 3 })
  const opening = await rejected(start(3))
  const closing = await rejected((await start(4)).done())
  expect([opening.message, closing.message]).toEqual([
    'the stage mine failed: no opening',
    'the stage mine failed: no closing',
  ])
  expect([opening.cause, closing.cause]).toEqual([new RangeError('no opening'), new RangeError('no closing')])
})

test('an abort ends a stage that never comes back, and one that never gets ready', async () => {
  const stuck = await trades()
    .stage(odd, { params: { what: 5 } })
    .to(count())
    .start()
  stuck.abort('enough')
  expect((await rejected(stuck.done())).code).toBe('VELOX_RUN_ABORTED')
  const starting = trades()
    .stage(never)
    .to(count())
    .start({ signal: AbortSignal.timeout(300) })
  expect((await rejected(starting)).code).toBe('VELOX_RUN_ABORTED')
})

test('steps of one name are told apart, and books by theirs', async () => {
  const chain = trades()
    .filter((t) => t.qty.gt(0), { name: 'x' })
    .filter((t) => t.qty.gt(0), { name: 'x' })
  const report = await (await chain.stage(large, { name: 'x' }).to(count()).start({ threads: 5 })).done()
  expect(report.stages.map(({ name }) => name)).toEqual(['replay', 'trades', 'x', 'x-2', 'x-3', 'count'])
})

test('a paced run with a stage is stopped and aborted', async () => {
  const chain = pipeline('p')
    .from(poisson({ perSecond: 20_000 }))
    .trades()
    .stage(large)
    .to(count())
  const run = await chain.start({ threads: 2 })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const report = await run.stop()
  expect(report.balanced).toBe(true)
  expect(report.stages[3]?.consumed).toBeGreaterThan(100)
  const aborted = await chain.start()
  aborted.abort('enough')
  expect((await rejected(aborted.done())).code).toBe('VELOX_RUN_ABORTED')
})

test('stages that can not be are refused before anything runs', async () => {
  expectCode(() => trades().stage({} as never), 'VELOX_INVALID_VALUE', 'defineStage')
  expectCode(
    () => trades().stage(spike, { params: { ration: 1 } } as never),
    'VELOX_UNKNOWN_OPTION',
    'did you mean ratio?',
  )
  expectCode(() => trades().stage(spike, { params: { ratio: '1' as never } }), 'VELOX_INVALID_VALUE', 'params.ratio')
  expectCode(
    () =>
      trades()
        .transactions()
        .stage(spike as never),
    'VELOX_INVALID_VALUE',
    'Trade records',
  )
})

test('what a stage prints when it closes is printed, all of it', async () => {
  const { stdout } = await script(`
    import { count, pipeline, poisson } from 'velox-engine'
    import printing from './test/stages/printing.js'
    const trades = pipeline('p').from(poisson({ perSecond: 1e6, count: 10 })).trades()
    await (await trades.stage(printing).to(count()).start()).done()`)
  expect(stdout.trimEnd().split('\n')).toEqual(Array.from({ length: 200 }, (_, i) => `closed ${i}`))
})

test('a process with a run that has a stage ends as it would without', async () => {
  const running = `
    import { count, pipeline, poisson } from 'velox-engine'
    import large from './test/stages/large.js'
    const run = await pipeline('p').from(poisson({ perSecond: 200_000 })).trades().stage(large).to(count()).start()`
  const fine = { status: 0, signal: null, stderr: '' }
  expect(await script(`${running}\nsetTimeout(() => process.exit(7), 100)`)).toMatchObject({ ...fine, status: 7 })
  const failing = await script(`
    import { count, pipeline, poisson } from 'velox-engine'
    import faulty from './test/stages/faulty.js'
    const run = await pipeline('p').from(poisson({ perSecond: 1e5 })).trades().stage(faulty).to(count()).start()
    try { await run.done() } catch (error) { console.log(error.message) }`)
  expect(failing).toMatchObject({ ...fine, stdout: 'the stage stage failed: a bug of the stage\n' })
  const stopped = await script(`${running}\nsetTimeout(async () => console.log((await run.stop()).balanced), 100)`)
  expect(stopped).toMatchObject({ ...fine, stdout: 'true\n' })
})
