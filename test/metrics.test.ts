import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count, L2Book, pipeline, poisson, type Stats } from 'velox-engine'
import { afterAll, expect, test } from 'vitest'
import { call, native } from '../dist/native.js'
import { expectCode, rejected } from './support/errors.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-metrics-'))
afterAll(() => rmSync(folder, { recursive: true }))

const market = (records: number) => poisson({ perSecond: 20_000, count: records, seed: 1 })

function watched(name: string, records = 10_000_000) {
  const source = market(records)
  const book = new L2Book({ instrument: source.instrument() })
  return pipeline(name).from(source).book(book).trades().transactions().bundle().to(count('output'))
}

async function until(stats: AsyncIterable<Stats>, what: (s: Stats) => boolean): Promise<Stats> {
  for await (const s of stats) if (what(s)) return s
  throw new Error('the run ended before')
}

test('stats tell latencies, books, threads and hiccups while the run goes', async () => {
  const run = await watched('live').start()
  const s = await until(
    run.stats({ everyMillis: 20 }),
    (s) => s.hiccupNanos !== undefined && (s.stages[5]?.in ?? 0) > 100,
  )
  for (const stage of s.stages.slice(1)) expect(stage.latencyNanos?.p50).toBeGreaterThan(0)
  expect(s.stages[0]).not.toHaveProperty('latencyNanos')
  expect(s.endToEndNanos?.count).toBeGreaterThan(0)
  expect(s.bundleWaitNanos?.count).toBeGreaterThan(0)
  expect(s.books).toMatchObject([{ name: 'book', symbol: 'POISSON', state: 'live' }])
  expect(s.books[0]?.sequence).toBeGreaterThan(0)
  expect(s.books[0]?.ageNanos).toBeLessThan(1e10)
  expect(s.threads).toHaveLength(1)
  const busy = s.stages.reduce((sum, stage) => sum + stage.busy, 0)
  expect(busy).toBeGreaterThan(0)
  expect(s.threads[0]?.busy).toBeCloseTo(busy, 3)
  const report = await run.stop()
  expect(report.books[0]?.sequence).toBeGreaterThanOrEqual(s.books[0]?.sequence as number)
  expect(report.hiccupNanos?.count).toBeGreaterThan(0)
})

test('without metrics there are accounts and nothing else', async () => {
  const report = await (await watched('off', 2_000).start({ metrics: false })).done()
  expect(report).toMatchObject({ balanced: true })
  for (const name of ['endToEndNanos', 'bundleWaitNanos', 'hiccupNanos']) expect(report).not.toHaveProperty(name)
  for (const stage of report.stages) expect(stage).not.toHaveProperty('latencyNanos')
  const error = await rejected(watched('off').start({ metrics: 1 as never }))
  expect([error.code, error.message]).toEqual(['VELOX_INVALID_VALUE', 'metrics: expected true or false, got 1'])
})

/** A process of its own with a run, which it keeps until it is told to stop. */
function process(name: string) {
  const script = join(folder, `${name}.mjs`)
  writeFileSync(
    script,
    `import { count, pipeline, poisson } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    const run = await pipeline('${name}').from(poisson({ perSecond: 20000 })).to(count()).start()
    process.on('message', async () => { const { stages } = await run.stop(); process.send(stages[1].in); process.disconnect() })
    process.send(0)`,
  )
  const child = fork(script)
  const told = () => new Promise<number>((resolve) => child.once('message', (n) => resolve(n as number)))
  return { child, told, ended: new Promise((resolve) => child.once('exit', resolve)) }
}

type Found = { path: string; run?: string; pid?: number; reason?: string }
const list = (): Found[] => JSON.parse(native.metricsList()) as Found[]

test('another process is found, read while it runs, and seen to end', async () => {
  const { child, told, ended } = process('found')
  await told()
  const found = list().find(({ pid }) => pid === child.pid)
  expect(found?.run).toBe('found')
  const slot = native.metricsAttach(found?.path as string)
  const read = () => JSON.parse(native.metricsRead(slot)) as Stats & { run: string; pid: number; state: string }
  await expect.poll(() => read().stages[1]?.in).toBeGreaterThan(100)
  expect(read()).toMatchObject({ run: 'found', pid: child.pid, state: 'running', placement: [{ wait: 'backoff' }] })
  expect(read().stages[1]?.latencyNanos?.count).toBeGreaterThan(0)
  const last = told()
  child.send('stop')
  const records = await last
  expect(read()).toMatchObject({ state: 'done', stages: [{}, { in: records }] })
  await ended
  expect(existsSync(found?.path as string)).toBe(false)
  native.release(slot)
})

test('what is no running engine is refused with its reason', async () => {
  const foreign = join(folder, 'foreign.metrics')
  writeFileSync(foreign, 'a text that is none of the engine')
  const refused = (path: string) => () => call(() => native.metricsAttach(path))
  expectCode(refused(foreign), 'VELOX_METRICS_REFUSED', 'foreign')
  expectCode(refused(join(folder, 'none')), 'VELOX_METRICS_REFUSED', 'none')
  const { child, told, ended } = process('killed')
  await told()
  const found = list().find(({ pid }) => pid === child.pid)
  const slot = native.metricsAttach(found?.path as string)
  child.kill('SIGKILL')
  await ended
  expectCode(() => call(() => native.metricsRead(slot)), 'VELOX_METRICS_REFUSED', 'is gone')
  expectCode(refused(found?.path as string), 'VELOX_METRICS_REFUSED', 'is gone')
  expect(list().find(({ path }) => path === found?.path)).toMatchObject({ reason: 'stale' })
  native.release(slot)
  rmSync(found?.path as string)
})
