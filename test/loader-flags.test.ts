import { expect, test } from 'vitest'
import { loaderFlags } from '../dist/stage/loader-flags.js'
import { script } from './support/node.js'

test('a worker keeps the flags that load modules, with their values, and no others', () => {
  const flags = [
    '--input-type=module',
    '--require',
    './.pnp.cjs',
    '--no-warnings',
    '--import=tsx',
    '-r',
    'x',
    '--eval',
    '1',
  ]
  expect(loaderFlags(flags)).toEqual(['--require', './.pnp.cjs', '--import=tsx', '-r', 'x'])
  expect(loaderFlags([])).toEqual([])
  expect(loaderFlags(['--require'])).toEqual(['--require'])
})

test('a stage runs in a worker where the process has flags that a worker refuses', async () => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const { status, stdout, stderr } = await script(`
    import { count, pipeline, poisson } from ${url('../dist/index.js')}
    import stage from ${url('./package/programs/large-trades.mjs')}
    const run = await pipeline('x').from(poisson({ perSecond: 1e6, count: 9, pace: 'max' })).trades().stage(stage).to(count()).start()
    console.log((await run.done()).balanced)`)
  expect([status, stdout, stderr]).toEqual([0, 'true\n', ''])
})
