// Each way a run's process or worker can end, in each state of the run, for each kind of run. The same cases run often,
// and on other runtimes, with VELOX_SOAK=1, 50 times or VELOX_SOAK_TIMES.
import { test } from 'vitest'
import { CASES, once } from './lifecycle/cases.mjs'
import { node } from './support/node.js'

const TIMES = 3
const SOAK_TIMES = process.env['VELOX_SOAK_TIMES'] ?? '50'
const SOAK_MILLIS = 3 * 60 * 60 * 1000

for (const each of CASES)
  test.concurrent(`${each.end} ends a run (${each.kind}, ${each.state}) as it should, ${TIMES} of ${TIMES} times`, async ({
    expect,
  }) => {
    for (let i = 0; i < TIMES; i++) expect(await once(each)).toBeUndefined()
  })

if (process.env['VELOX_SOAK'] === '1')
  test(
    `every end on every runtime is as it should, ${SOAK_TIMES} of ${SOAK_TIMES} times`,
    async ({ expect }) => {
      const ended = await node(['scripts/soak-lifecycle.mjs', SOAK_TIMES])
      expect(ended, ended.stdout).toMatchObject({ status: 0, signal: null })
    },
    SOAK_MILLIS,
  )
