// How a run ended, where it is looked for from outside: in a scrape, and by `velox top`.
import { fromIterable, pipeline, type Run, u32 } from 'velox-engine'
import { serveMetrics } from 'velox-engine/metrics'
import { expect, test } from 'vitest'
import { findEngines } from '../dist/cli/engines.js'
import { Follower } from '../dist/cli/follower.js'
import { ask, sample } from './support/scrape.js'

/** Numbers until it is told to fail or to end. */
function source() {
  let told: 'fail' | 'end' | undefined
  async function* numbers() {
    for (let n = 0; told === undefined; n++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      yield n
    }
    if (told === 'fail') throw new Error('the well is dry')
  }
  const tell = (what: 'fail' | 'end') => {
    told = what
  }
  return { numbers, tell }
}

test.each([
  ['done', { outcome: 'done' }],
  ['aborted', { outcome: 'aborted' }],
  ['failed', { outcome: 'failed', failedStage: 'iterable' }],
] as const)('of a run that is %s', async (state, end) => {
  const { numbers, tell } = source()
  const name = `run-state-${state}`
  const run: Run<typeof u32> = await pipeline(name).from(fromIterable(u32, numbers())).start()
  const reader = (async () => {
    for await (const _ of run.batches());
  })()
  reader.catch(() => {})
  await using server = await serveMetrics(run, { port: 0 })
  const own = findEngines().engines.find((engine) => engine.run === name && engine.pid === process.pid)
  const follower = new Follower(own?.path as string)
  const first = follower.next()
  expect(first).toMatchObject({ state: 'running' })
  expect(first).not.toHaveProperty('outcome')
  expect(sample((await ask(server.url)).text, 'velox_run_state{state="running"}')).toBe(1)
  if (state === 'aborted') run.abort()
  tell(state === 'failed' ? 'fail' : 'end')
  await run.done().catch(() => {})
  expect(follower.next()).toMatchObject({ state: 'ended', ...end })
  const { text } = await ask(server.url)
  for (const one of ['running', 'done', 'aborted', 'failed'])
    expect([one, sample(text, `velox_run_state{state="${one}"}`)]).toEqual([one, Number(one === state)])
})
