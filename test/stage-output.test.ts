// What a stage leaves behind: records that it wrote in part, a close that takes its time, a module with two stages.
import { count, fromIterable, pipeline, poisson } from 'velox-engine'
import { expect, test } from 'vitest'
import byField, { Pair } from './stages/by-field.js'
import closes from './stages/closes.js'
import two, { none } from './stages/two.js'
import { rejected } from './support/errors.js'

const pairs = (n: number) =>
  fromIterable(
    Pair,
    Array.from({ length: n }, (_, i) => ({ a: i + 1, b: i + 1, c: 7 })),
  )
const trades = () =>
  pipeline('p')
    .from(poisson({ perSecond: 1e6, count: 100, pace: 'max' }))
    .trades()

test('what a stage did not write of a record is 0, and never what an earlier record left', async () => {
  const got = await pipeline('p').from(pairs(2_000)).stage(byField).toArray()
  expect(got).toHaveLength(2_000)
  expect(got.filter(({ a }, i) => a !== i + 1)).toEqual([])
  expect(got.slice(0, 2)).toEqual([
    { a: 1, b: 1, c: 7 },
    { a: 2, b: 2, c: 7 },
  ])
  // The first batch may hold more than two.
  expect(got.slice(2).filter(({ b, c }) => b !== 0 || c !== 0)).toEqual([])
})

test('a record that is not the next one is refused', async () => {
  const run = await pipeline('p')
    .from(pairs(100))
    .stage(byField, { params: { skips: 3 } })
    .to(count())
    .start()
  const error = await rejected(run.done())
  expect(error.code).toBe('VELOX_STAGE_FAILED')
  expect(String((error.cause as Error).message)).toMatch(/record \d+ first: records are written in order, got/)
})

test('a module with two stages is refused: there is no telling which one was meant', async () => {
  for (const stage of [two, none]) {
    const error = await rejected(trades().stage(stage).to(count()).start())
    expect(error.code).toBe('VELOX_STAGE_FAILED')
    expect(String((error.cause as Error).message)).toMatch(/a module that defines one stage: .*two\.js, got 2 of them/)
  }
})

test('a close that is a promise is waited for, and what it rejects with fails the run', async () => {
  const start = (how: number) => trades().stage(closes, { params: { how } }).to(count()).start()
  expect((await (await start(0)).done()).balanced).toBe(true)
  for (const [how, text] of [
    [1, 'no closing'],
    [2, 'nobody waits'],
  ] as const) {
    const error = await rejected((await start(how)).done())
    expect([error.code, (error.cause as Error).name, (error.cause as Error).message]).toEqual([
      'VELOX_STAGE_FAILED',
      'RangeError',
      text,
    ])
  }
})
