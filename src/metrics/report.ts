import type { Exporter, report as Face, MetricsSnapshot, Stats } from '../../index.js'
import { checkInteger, checkOptions, refuse } from '../errors/check.js'
import { Run } from '../pipeline/run.js'
import { StageMetrics, snapshotOf } from './stage-metrics.js'

/** A stage of a run as its metrics: what it used, what it refused, and what found no room before it. */
function* stagesOf({ stages, edges }: Stats): Generator<[string, MetricsSnapshot]> {
  for (const { name, consumed, errors, latencyNanos: latency } of stages) {
    const dropped = edges.reduce((sum, edge) => sum + (edge.to === name ? edge.dropped : 0), 0)
    const { mean = 0, min = 0, max = 0, p50 = 0, p99 = 0, p999 = 0 } = latency ?? {}
    const times = { avgLatencyNs: Math.trunc(mean), minLatencyNs: min, maxLatencyNs: max }
    const percentiles = { p50LatencyNs: p50, p99LatencyNs: p99, p999LatencyNs: p999 }
    yield [name, snapshotOf({ processed: consumed, errors, dropped, ...times, ...percentiles })]
  }
}

/** What is looked at each time. */
function sourceOf(of: Parameters<typeof Face>[0]): () => Iterable<[string, MetricsSnapshot]> {
  if (of instanceof Run) return () => stagesOf(of.now())
  if (!Array.isArray(of)) refuse('of', 'what start() of a pipeline gave, or an array of StageMetrics', of)
  const metrics = [...(of as readonly StageMetrics[])]
  for (const one of metrics) if (!(one instanceof StageMetrics)) refuse('metrics', 'StageMetrics in the array', one)
  return () => metrics.map((one): [string, MetricsSnapshot] => [one.name, one.snapshot()])
}

export const report: typeof Face = (of, to: Exporter, o = {}) => {
  checkOptions(o, ['everyMillis'], 'report')
  const everyMillis = checkInteger('everyMillis', o.everyMillis ?? 1000, 1, 2 ** 31 - 1)
  const source = sourceOf(of)
  if (typeof to?.export !== 'function') refuse('to', 'an exporter: an object with export(name, snapshot)', to)

  /** All are called before the first is waited for; the first that fails is told. */
  const exportAll = async () => {
    const exports = Array.from(source(), async ([name, snapshot]) => to.export(name, snapshot))
    for (const { status, ...told } of await Promise.allSettled(exports))
      if (status === 'rejected') throw (told as { reason: unknown }).reason
  }

  let pending: Promise<void> | undefined
  let isTold = false
  const settle = (error?: unknown) => {
    pending = undefined
    if (error !== undefined && !isTold) {
      const text = error instanceof Error ? error.message : String(error)
      process.emitWarning(`an exporter of metrics failed and is tried again: ${text}`, { code: 'VELOX_EXPORT_FAILED' })
    }
    isTold = error !== undefined
  }
  const timer = setInterval(() => {
    // An exporter that is slower than its turns is waited for.
    pending ??= exportAll().then(settle, (error: unknown) => settle(error ?? 'no reason'))
  }, everyMillis)
  timer.unref()

  let closed: Promise<void> | undefined
  const close = () => {
    clearInterval(timer)
    closed ??= pending ? pending.then(exportAll) : exportAll()
    return closed
  }
  return { close, [Symbol.asyncDispose]: close }
}
