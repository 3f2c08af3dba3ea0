// The most likely mistakes of a newcomer: each gives a sentence that says what to do. A missing binary: test/package.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { clock, Instrument, nanos, pipeline, poisson, RingBuffer, tscToNs, u32 } from '../dist/index.js'
import { nativeMissing } from '../dist/native-missing.js'
import { tooOld } from '../dist/old-node.js'
import { velox } from './support/engine.js'
import { node, root } from './support/node.js'

test('an old Node is told which one to install', () => {
  const on = (version: string, more = {}) => tooOld({ node: version, ...more } as NodeJS.ProcessVersions)
  expect(on('18.20.8')).toBe(
    'velox-engine: expected Node 20.19 or newer, got 18.20.8: install Node 22 or newer; this one is not tested',
  )
  expect(on('20.18.3')).toContain('got 20.18.3')
  expect([on('20.19.0'), on('22.0.0'), on('18.0.0', { bun: '1.4.5' }), on('20.11.1', { deno: '2.9.6' })]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('an old Node on which the addon doesn’t load is told so by the error too: no warning gets out before it', () => {
  const on = { platform: 'linux', arch: 'x64', libc: '2.36' } as const
  const told = (node: string) => nativeMissing(new Error('no'), on, { node } as NodeJS.ProcessVersions).message
  expect(told('18.20.8')).toMatch(/expected Node 20\.19 or newer, got 18\.20\.8: install Node 22 .*\. Run: npm install/)
  expect(told('22.1.0')).not.toContain('expected Node')
})

test.each([
  ['Requires ffi access to "x.node", run again with the --allow-ffi flag', 'Run it with --allow-ffi'],
  ['Cannot load native addon because loading addons is disabled.', 'Run it with --allow-addons'],
  ["/lib/libc.so.6: version `GLIBC_2.17' not found (required by x.node)", 'glibc 2.17 or newer'],
])('a binary that may not or can’t be loaded is not told to be installed: %s', (why, hint) => {
  const { message } = nativeMissing(new Error(why), { platform: 'linux', arch: 'x64', libc: '2.36' })
  expect(message).toContain(hint)
  expect(message).not.toContain('npm install')
})

test.each([
  ['a capacity that is no power of two', () => new RingBuffer(u32, 1000), 'expected a power of two', 'got 1000'],
  ['a number where time is a bigint', () => tscToNs(5 as never), 'expected a bigint', 'got 5'],
  ['the same of the clock', () => clock.toEpochNanos(5 as never), 'expected a bigint', 'got 5'],
  ['a fraction as a time', () => new RingBuffer(nanos, 2).push(1.5), 'a whole number or a bigint', 'got 1.5'],
  [
    '&& in an expression',
    () =>
      pipeline('x')
        .from(poisson({ perSecond: 1 }))
        .trades()
        .filter((t) => t.qty.gt(1) && t.price.gt(2)),
    'and(), or(), not()',
    '&& and || drop one',
  ],
  [
    'braces without return',
    () =>
      pipeline('x')
        .from(poisson({ perSecond: 1 }))
        .trades()
        .filter(((t: { qty: { gt(x: number): unknown } }) => {
          t.qty.gt(1)
        }) as never),
    'a condition, such as t.price.gt(5)',
    'undefined: the function returns nothing',
  ],
  [
    'a price as a number',
    () => new Instrument({ symbol: 'X', tick: '0.10', lot: '1' }).price(61800.3 as never),
    "a decimal as text, such as '61800.30'",
    'got 61800.3',
  ],
  [
    'a tick as a number',
    () => new Instrument({ symbol: 'X', tick: 0.1 as never, lot: '1' }),
    "a decimal as text, such as '0.10'",
    'got 0.1',
  ],
  [
    'a function as the end',
    () =>
      pipeline('x')
        .from(poisson({ perSecond: 1 }))
        .to(console.log as never),
    'count(), discard()',
    'tap() takes one, and run.batches() without to()',
  ],
])('%s', (_, mistake, ...texts) => {
  let told = ''
  try {
    mistake()
  } catch (error) {
    told = (error as Error).message
  }
  for (const text of texts) expect(told).toContain(text)
})

describe('a module of `velox run` that asks for what isn’t there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-newcomer-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['bot.mjs', `import stage from './stagee.mjs'`, join(folder, 'stagee.mjs'), 'check the name and its ending'],
    ['bare.mjs', `import stage from './stage'`, join(folder, 'stage'), 'check the name and its ending'],
    ['bot.cjs', `require('./stagee.cjs')`, './stagee.cjs', 'check the name and its ending'],
    ['package.mjs', `import it from 'velox-not-there'`, 'the package velox-not-there to be installed', 'none that'],
  ])('%s is told in a sentence, without a stack', async (name, line, what, hint) => {
    const file = join(folder, name)
    writeFileSync(file, line)
    const { status, stderr } = await node([velox, 'run', file], { cwd: root })
    expect([status, stderr.trim().split('\n')]).toEqual([1, [expect.stringMatching(/^velox: /)]])
    for (const text of [what, file, hint]) expect(stderr).toContain(text)
  })
})
