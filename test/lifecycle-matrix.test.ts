// Each way a run's process or worker can end, in each state of the run, for each kind of run. The same cases run often,
// and on other runtimes, with VELOX_SOAK=1.
import { expect, test } from 'vitest'
import { CASES, once } from './lifecycle/cases.mjs'
import { node } from './support/node.js'

const TIMES = 3
const SOAK_MILLIS = 2 * 60 * 60 * 1000

test.concurrent.for(CASES)('$end of a run of kind $kind, $state', async (each, { expect }) => {
  for (let i = 0; i < TIMES; i++) expect(await once(each)).toBeUndefined()
})

test.runIf(process.env['VELOX_SOAK'] === '1')(
  'every case ends as it should 50 times of 50 on all runtimes',
  async () => {
    const ended = await node(['scripts/soak-lifecycle.mjs'])
    expect(ended, ended.stdout).toMatchObject({ status: 0, signal: null })
  },
  SOAK_MILLIS,
)
