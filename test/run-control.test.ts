// A run's own methods: what is wrong with a call is told by the call, and what ends a run by whoever asks.
import { setTimeout as delay } from 'node:timers/promises'
import { count, defineStage, pipeline, poisson, type Run, Trade } from 'velox-engine'
import { expect, test } from 'vitest'
import breaks, { HOWS } from './stages/breaks.js'
import large from './stages/large.js'
import never from './stages/never.js'
import odd from './stages/odd.js'
import { expectCode, rejected } from './support/errors.js'
import { script } from './support/node.js'

const trades = () =>
  pipeline('p')
    .from(poisson({ perSecond: 10_000 }))
    .trades()

const failing = () =>
  trades()
    .stage(breaks, { name: 'mine', params: { how: HOWS.indexOf('throws') } })
    .to(count())
    .start()

async function ended(run: Run<typeof Trade>): Promise<void> {
  for await (const _ of run.stats({ everyMillis: 5 }));
}

test('a stop of a failed run that nobody waits for does not end the process', async () => {
  const { status, stdout, stderr } = await script(`
    import { fromIterable, count, pipeline, u8 } from 'velox-engine'
    const broken = function* () { yield 1; throw new RangeError('a bug') }
    const run = await pipeline('p').from(fromIterable(u8, broken())).to(count()).start()
    void run.stop()
    for await (const _ of run.stats({ everyMillis: 5 }));
    void run.stop()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await run.done().catch((error) => console.log(error.code))
  `)
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'VELOX_STAGE_FAILED\n', stderr: '' })
})

test('a stop that is waited for tells what the run failed of, as done() does', async () => {
  const run = await failing()
  await ended(run)
  const [stopped, done] = [await rejected(run.stop()), await rejected(run.done())]
  expect([stopped.code, stopped.cause]).toEqual(['VELOX_STAGE_FAILED', new RangeError('a bug of the stage')])
  expect(done.cause).toBe(stopped.cause)
})

test('options of stats and batches are refused by the call', async () => {
  const run = await trades().to(count()).start()
  const stats = (everyMillis: unknown) => () => run.stats({ everyMillis: everyMillis as number })
  for (const wrong of [-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', null, 5n, {}])
    expectCode(stats(wrong), 'VELOX_INVALID_VALUE', 'everyMillis: expected a whole number, 1 to 2147483647')
  expectCode(stats(2 ** 60), 'VELOX_UNSAFE_INTEGER', 'everyMillis')
  expectCode(() => run.stats({ everyMilis: 5 } as never), 'VELOX_UNKNOWN_OPTION', 'did you mean everyMillis?')
  expectCode(() => run.stats(5 as never), 'VELOX_INVALID_VALUE', 'an object of options')
  expectCode(() => run.batches(), 'VELOX_INVALID_VALUE', 'got one that ends in a sink')
  await run.stop()
})

test('a stage whose poll is async is refused by the start, before a record is on its way', async () => {
  const url = `data:text/javascript,${encodeURIComponent(`
    import { defineStage, Trade } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    export default defineStage(import.meta, { input: Trade, output: Trade, open: () => ({ async poll() {} }) })
  `)}`
  const definition = { input: Trade, output: Trade, open: () => ({ poll: () => undefined }) }
  const stage = defineStage({ url } as ImportMeta, definition)
  const error = await rejected(trades().stage(stage, { name: 'mine' }).to(count()).start())
  expect([error.code, error.context]).toEqual(['VELOX_STAGE_FAILED', { stage: 'mine' }])
  expect((error.cause as Error).message).toBe(
    'poll: expected a function that is through with its batch, at once, got an async function',
  )
})

for (const [what, signal, cause] of [
  ['a reason', () => delay(50).then(() => new Error('no time left')), 'no time left'],
  ['none', () => delay(50).then(() => undefined), 'This operation was aborted'],
] as const)
  test(`a start that is aborted with ${what} while a stage's module hangs is rejected with it`, async () => {
    const abort = new AbortController()
    void signal().then((reason) => abort.abort(reason))
    const starting = trades().stage(never).to(count()).start({ signal: abort.signal })
    const error = await rejected(starting)
    expect([error.code, error.context]).toEqual(['VELOX_RUN_ABORTED', { reason: cause }])
    expect(error.cause).toBe(abort.signal.reason)
  })

for (const [when, stopOn] of [
  ['before it', () => AbortSignal.abort()],
  ['meanwhile', () => AbortSignal.timeout(50)],
] as const) {
  test(`a start that is stopped ${when} names the stage whose module hangs`, async () => {
    const chain = trades().stage(large).stage(never, { name: 'mine' }).to(count())
    const error = await rejected(chain.start({ stopOn: stopOn() }))
    expect([error.code, error.context]).toEqual(['VELOX_STAGE_FAILED', { stage: 'mine' }])
    expect((error.cause as Error).message).toContain('was not through 800 ms after the run was stopped')
  })

  test(`a start that is stopped ${when} names the stage whose open() never comes back`, async () => {
    const chain = trades()
      .stage(odd, { name: 'mine', params: { what: 6 } })
      .to(count())
    const error = await rejected(chain.start({ stopOn: stopOn() }))
    expect([error.code, error.context]).toEqual(['VELOX_STAGE_FAILED', { stage: 'mine' }])
  })
}

test('a start that is stopped before it waits for a stage that gets ready', async () => {
  const run = await trades().stage(large).to(count()).start({ stopOn: AbortSignal.abort() })
  expect(await run.done()).toMatchObject({ balanced: true, stages: [{ in: 0 }, { in: 0 }, { in: 0 }, { in: 0 }] })
})
