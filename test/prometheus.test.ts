// A run's metrics as Prometheus itself reads them: Debian's package, where it is there.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrometheusMetrics, StageMetrics } from 'velox-engine'
import { serveMetrics } from 'velox-engine/metrics'
import { afterAll, expect, test } from 'vitest'
import { ask, complaints, hasPrometheus, sample, watched } from './support/scrape.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-prometheus-'))
const started: ChildProcess[] = []
afterAll(async () => {
  await Promise.all(
    started.map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill()
      return ended
    }),
  )
  rmSync(folder, { recursive: true })
})

test.skipIf(!hasPrometheus)('promtool finds nothing wrong, and of the names one: the document’s own', async () => {
  const metrics = new PrometheusMetrics()
  metrics.recordTransaction(1_500)
  expect(complaints(metrics.export())).toEqual([])
  await using run = await watched('checked "\\')
  const own = new StageMetrics('own "\\')
  own.recordProcessing(1_500)
  await using server = await serveMetrics(run, { port: 0, labels: { desk: 'é "\\' }, metrics: [own] })
  await expect.poll(async () => (await ask(server.url)).text).toContain('velox_book_age_seconds')
  const { text } = await ask(server.url)
  expect(complaints(text)).toEqual([])
  const others = text.replaceAll(/^.*velox_latency_avg_ns.*\n/gm, '')
  expect(spawnSync('promtool', ['check', 'metrics'], { input: others }).status).toBe(0)
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Starts a Prometheus that scrapes a target every second; gives what it answers to a query. */
async function prometheus(target: string): Promise<(query: string) => Promise<{ metric: object; value: number }[]>> {
  const config = join(folder, 'prometheus.yml')
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [{ job_name: velox, static_configs: [{ targets: ['${target}'] }] }]\n`,
  )
  const port = await freePort()
  const data = join(folder, 'data')
  const own = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`]
  started.push(spawn('prometheus', own, { stdio: 'ignore' }))
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`
    const response = await fetch(url).catch(() => undefined)
    if (!response?.ok) return []
    const { data } = (await response.json()) as { data: { result: { metric: object; value: [number, string] }[] } }
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
  }
}

test.skipIf(!hasPrometheus)('Prometheus scrapes it and answers queries', async () => {
  await using run = await watched('scraped')
  await using server = await serveMetrics(run, { port: 0 })
  const query = await prometheus(new URL(server.url).host)
  const patience = { timeout: 60_000, interval: 200 }
  await expect.poll(async () => (await query('up{job="velox"}'))[0]?.value, patience).toBe(1)
  await expect
    .poll(async () => (await query('rate(velox_transactions_total[5s])'))[0]?.value, patience)
    .toBeGreaterThan(10_000)
  const [state] = await query('velox_book_state == 1')
  expect(state).toMatchObject({ metric: { book: 'book', symbol: 'POISSON', state: 'live' } })
  const [p99] = await query('histogram_quantile(0.99, velox_latency_seconds_bucket)')
  expect(p99?.value).toBeGreaterThan(1e-7)
  const [stages] = await query('count(velox_stage_in_total) by (job)')
  expect(stages?.value).toBe(5)
  const total = (await query('velox_transactions_total'))[0]?.value ?? 0
  expect(sample((await ask(server.url)).text, 'velox_transactions_total')).toBeGreaterThanOrEqual(total)
})
