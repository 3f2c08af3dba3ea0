import { createSocket } from 'node:dgram'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StatsD } from 'hot-shots'
import { Counter, type OpenMetricsContentType, Registry } from 'prom-client'
import { count, type MetricsSnapshot, PrometheusMetrics, pipeline, poisson, report, StageMetrics } from 'velox-engine'
import { jsonLines, type PublishedStats, registerMetrics, statsd } from 'velox-engine/metrics'
import { expect, test, vi } from 'vitest'
import { expectCode } from './support/errors.js'
import { root, script } from './support/node.js'
import { sample, watched } from './support/scrape.js'

function counted(name = 'filter'): StageMetrics {
  const metrics = new StageMetrics(name)
  metrics.recordProcessing(125)
  metrics.recordProcessing(3_000)
  metrics.recordDrop()
  return metrics
}

test('a snapshot prints the lines of the document, rounded as Rust rounds', async () => {
  const { stdout } = await script(
    `import { StageMetrics } from ${JSON.stringify(new URL(`file://${root}dist/index.js`).href)}
    const metrics = new StageMetrics('x')
    metrics.snapshot().print('Empty')
    metrics.recordProcessing(125)
    metrics.recordProcessing(3_000n)
    metrics.recordError()
    metrics.recordDrop()
    metrics.recordDrop()
    metrics.snapshot().print('Processing Stage')`,
  )
  const latencies = (...of: string[]) =>
    ['Avg', 'Min', 'Max'].map((name, i) => `${name} Latency: ${of[i]} µs\n`).join('')
  expect(stdout).toBe(
    `\n=== Empty Metrics ===\nProcessed:  0\nErrors:     0\nDropped:    0\n${latencies('0.00', '0.00', '0.00')}` +
      `\n=== Processing Stage Metrics ===\nProcessed:  2\nErrors:     1\nDropped:    2\n${latencies('1.56', '0.12', '3.00')}` +
      'Error Rate:  50.00%\nDrop Rate:   100.00%\n',
  )
})

test('PrometheusMetrics counts what the document counts', () => {
  const metrics = new PrometheusMetrics()
  metrics.recordTransaction(1_000)
  metrics.recordTransaction(2_000n)
  metrics.recordDrop()
  const text = metrics.export()
  expect(['total', 'dropped', 'dropped_total'].map((name) => sample(text, `velox_transactions_${name}`))).toEqual([
    2, 1, 1,
  ])
  expect(sample(text, 'velox_latency_avg_ns')).toBe(1_500)
  expectCode(() => metrics.recordTransaction(-1), 'VELOX_INVALID_VALUE', 'latencyNanos')
  expectCode(() => metrics.recordTransaction(2n ** 64n), 'VELOX_INVALID_VALUE', 'latencyNanos')
})

test('a reporter exports each metric in each turn, and once more at its close', async () => {
  const seen: [string, number][] = []
  const metrics = [counted('a'), counted('b')]
  const reporter = report(
    metrics,
    { export: (name, { processed }) => void seen.push([name, processed]) },
    { everyMillis: 20 },
  )
  await expect.poll(() => seen.length).toBeGreaterThanOrEqual(4)
  metrics[0]?.recordProcessing(1)
  const before = seen.length
  await Promise.all([reporter.close(), reporter.close()])
  expect(seen.slice(before)).toEqual([
    ['a', 3],
    ['b', 2],
  ])
  await delay(60)
  expect(seen).toHaveLength(before + 2)
})

test('a reporter exports once a second where nothing else is said', () => {
  vi.useFakeTimers()
  try {
    let exports = 0
    report([counted()], { export: () => void exports++ })
    vi.advanceTimersByTime(999)
    expect(exports).toBe(0)
    vi.advanceTimersByTime(1)
    expect(exports).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

test('an exporter that is slower than its turns is waited for', async () => {
  let [running, most] = [0, 0]
  const slow = {
    async export() {
      most = Math.max(most, ++running)
      await delay(50)
      running--
    },
  }
  await using _ = report([counted()], slow, { everyMillis: 5 })
  await delay(200)
  expect(most).toBe(1)
})

test('an exporter that fails is told once, tried again, and tells whoever closes', async () => {
  const warned: (Error & { code?: string })[] = []
  const warn = (warning: Error) => warned.push(warning)
  process.on('warning', warn)
  let calls = 0
  const failing = {
    export() {
      calls++
      throw new Error('no route')
    },
  }
  const reporter = report([counted('a'), counted('b')], failing, { everyMillis: 5 })
  await expect.poll(() => calls).toBeGreaterThan(6)
  await expect(reporter.close()).rejects.toThrow('no route')
  process.off('warning', warn)
  expect(warned.map(({ code, message }) => [code, message])).toEqual([
    ['VELOX_EXPORT_FAILED', 'an exporter of metrics failed and is tried again: no route'],
  ])
})

test('a reporter keeps no process alive', async () => {
  const { status, stderr } = await script(
    `import { report, StageMetrics } from ${JSON.stringify(new URL(`file://${root}dist/index.js`).href)}
    report([new StageMetrics('x')], { export() {} }, { everyMillis: 100_000 })`,
  )
  expect([status, stderr]).toEqual([0, ''])
})

test('what can not be reported is refused', () => {
  const to = { export() {} }
  expectCode(
    () => report('x' as never, to),
    'VELOX_INVALID_VALUE',
    'of: expected what start() of a pipeline gave, or an array',
  )
  for (const name of ['', ' ', 'a\nb', 'x'.repeat(201)])
    expectCode(() => new StageMetrics(name), 'VELOX_INVALID_VALUE', 'name: expected')
  expectCode(() => report([{}] as never, to), 'VELOX_INVALID_VALUE', 'metrics: expected StageMetrics')
  expectCode(() => report([], {} as never), 'VELOX_INVALID_VALUE', 'to: expected an exporter')
  expectCode(() => report([], to, { everyMillis: 0 }), 'VELOX_INVALID_VALUE', 'everyMillis')
  expectCode(() => report([], to, { every: 1 } as never), 'VELOX_UNKNOWN_OPTION', 'everyMillis')
  expectCode(() => statsd({} as never), 'VELOX_INVALID_VALUE', 'client: expected a StatsD client')
  expectCode(() => statsd({ increment() {}, gauge() {} }, { prefix: 'a:b' }), 'VELOX_INVALID_VALUE', 'prefix')
  expectCode(() => jsonLines({} as never), 'VELOX_INVALID_VALUE', 'to: expected a stream')
})

test('of a run each stage is reported', async () => {
  const run = await pipeline('reported')
    .from(poisson({ perSecond: 1e6, count: 500 }))
    .trades()
    .to(count('output'))
    .start()
  await run.done()
  const seen = new Map<string, MetricsSnapshot>()
  await report(run, { export: (name, snapshot) => void seen.set(name, snapshot) }).close()
  expect([...seen].map(([name, { processed }]) => [name, processed])).toEqual([
    ['poisson', 1000],
    ['trades', 500],
    ['output', 500],
  ])
  expect(seen.get('output')?.p99LatencyNs).toBeGreaterThan(0)
})

/** A listener for datagrams, and their lines. */
async function statsdServer() {
  const lines: string[] = []
  const socket = createSocket('udp4', (message) => void lines.push(...message.toString().split('\n').filter(Boolean)))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return { lines, port: socket.address().port, close: () => socket.close() }
}

test('StatsD: a run that began anew counts from its start, and where there are no latencies none is told', async () => {
  const told: string[] = []
  const client = {
    increment: (name: string, by: number) => void told.push(`${name} +${by}`),
    gauge: (name: string, value: number) => void told.push(`${name} ${value}`),
  }
  const exporter = statsd(client)
  const counts = async (dropped: number) => {
    const metrics = new StageMetrics('x')
    for (let i = 0; i < dropped; i++) metrics.recordDrop()
    await exporter.export('x', metrics.snapshot())
    return told.splice(0)
  }
  expect(await counts(3)).toEqual(['velox.x.dropped +3'])
  expect(await counts(5)).toEqual(['velox.x.dropped +2'])
  expect(await counts(1)).toEqual(['velox.x.dropped +1'])
})

test('StatsD: a real client sends a real listener what came since the last time', async () => {
  const server = await statsdServer()
  const client = new StatsD({ host: '127.0.0.1', port: server.port, errorHandler: () => {} })
  const metrics = counted('my stage: a|b@c#d')
  const exporter = statsd(client)
  await exporter.export(metrics.name, metrics.snapshot())
  const path = 'velox.my_stage_a_b_c_d'
  await expect
    .poll(() => server.lines)
    .toEqual(
      expect.arrayContaining([
        `${path}.processed:2|c`,
        `${path}.dropped:1|c`,
        `${path}.latency_ns.avg:1562|g`,
        `${path}.latency_ns.max:3000|g`,
      ]),
    )
  expect(server.lines.filter((line) => line.includes('.errors'))).toEqual([])
  server.lines.length = 0
  metrics.recordProcessing(1)
  metrics.recordError()
  await exporter.export(metrics.name, metrics.snapshot())
  await expect
    .poll(() => server.lines.filter((line) => line.endsWith('c')))
    .toEqual([`${path}.processed:1|c`, `${path}.errors:1|c`])
  await new Promise((resolve) => client.close(resolve))
  server.close()
})

test('JSON lines: one a snapshot, and nothing lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-lines-'))
  const stream = createWriteStream(join(folder, 'metrics.jsonl'))
  const metrics = counted('a "b" \\')
  await report([metrics, counted('c')], jsonLines(stream)).close()
  await new Promise((resolve) => stream.end(resolve))
  const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
  const { print: _, ...numbers } = metrics.snapshot()
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: expect.stringMatching(/^\d{4}-.*Z$/), name: 'a "b" \\', ...numbers },
    { time: expect.any(String), name: 'c', ...numbers },
  ])
  const broken = createWriteStream(join(folder, 'nowhere', 'x')).on('error', () => {})
  await expect(report([metrics], jsonLines(broken)).close()).rejects.toThrow()
  rmSync(folder, { recursive: true })
})

test('a registry of prom-client has the run beside its own metrics', async () => {
  await using run = await watched('registered')
  const registry = new Registry()
  const own = new Counter({ name: 'my_orders_total', help: 'Mine.', registers: [registry] })
  own.inc(3)
  const registered = registerMetrics(run, registry)
  await expect.poll(async () => sample(await registry.metrics(), 'velox_transactions_total')).toBeGreaterThan(100)
  registry.setDefaultLabels({ desk: 'a' })
  const text = await registry.metrics()
  expect(sample(text, 'my_orders_total{desk="a"}')).toBe(3)
  expect(sample(text, 'velox_book_state{book="book",symbol="POISSON",state="live",desk="a"}')).toBe(1)
  const buckets = 'velox_latency_seconds'
  const total = sample(text, `${buckets}_count{stage="output",desk="a"}`)
  expect(sample(text, `${buckets}_bucket{stage="output",le="+Inf",desk="a"}`)).toBe(total)
  // Asked in one go, all of it is of one look. Within it, a stage's counter may already have a record that its latencies have not.
  const consumed = sample(text, 'velox_stage_in_total{stage="output",desk="a"}')
  expect(sample(text, 'velox_transactions_total{desk="a"}')).toBe(Math.max(consumed, total))
  const [json] = (await registry.getMetricsAsJSON()).filter(({ name }) => name === 'velox_stage_in_total')
  expect(json).toMatchObject({
    type: 'counter',
    values: expect.arrayContaining([{ value: expect.any(Number), labels: { stage: 'output', desk: 'a' } }]),
  })
  expectCode(() => registerMetrics(run, registry), 'VELOX_INVALID_VALUE', 'one without the metrics of a run')
  registered.close()
  expect(await registry.metrics()).not.toContain('velox_')
  registerMetrics(run, registry).close()
  expectCode(() => registerMetrics({} as never, registry), 'VELOX_INVALID_VALUE', 'run: expected')
  expectCode(() => registerMetrics(run, {} as never), 'VELOX_INVALID_VALUE', 'registry: expected')
})

test('a registry of the OpenMetrics format has each counter by one name', async () => {
  await using run = await watched('open')
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const registered = registerMetrics(run, registry)
  for (let i = 0; i < 2; i++) {
    const lines = (await registry.metrics()).split('\n')
    expect(lines.filter((line) => line.startsWith('# TYPE velox_transactions'))).toEqual([
      '# TYPE velox_transactions counter',
      '# TYPE velox_transactions_dropped counter',
    ])
    expect(lines.some((line) => /^velox_transactions_total \d+$/.test(line))).toBe(true)
  }
  registered.close()
})

test('who subscribes to the channel gets stats of every run, and their end', async () => {
  const seen: PublishedStats[] = []
  const listen = (message: unknown) => void seen.push(message as PublishedStats)
  const run = await watched('channelled')
  await delay(1_100)
  expect(seen).toEqual([])
  subscribe('velox-engine:stats', listen)
  await vi.waitUntil(() => seen.some((message) => message.run === 'channelled'), 5_000)
  expect(seen[0]).toMatchObject({ run: 'channelled', ended: false })
  const report = await run.stop()
  await vi.waitUntil(() => seen.at(-1)?.ended)
  unsubscribe('velox-engine:stats', listen)
  const last = seen.at(-1) as PublishedStats
  expect(last.stats.stages.map((stage) => stage.in)).toEqual(report.stages.map((stage) => stage.in))
})
