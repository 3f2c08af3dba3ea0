import type { StageMetrics as Face, MetricsSnapshot } from '../../index.js'
import { checkString, checkTime } from '../errors/check.js'
import { native, owned } from '../native.js'

const FIELDS = [
  'processed',
  'errors',
  'dropped',
  'avgLatencyNs',
  'minLatencyNs',
  'maxLatencyNs',
  'p50LatencyNs',
  'p99LatencyNs',
  'p999LatencyNs',
] as const

export class StageMetrics implements Face {
  readonly name: string
  readonly #slot: number

  constructor(name: string) {
    this.name = checkString('name', name)
    this.#slot = owned(this, native.metricsNew(name))
  }

  recordProcessing(latencyNanos: number | bigint): void {
    native.metricsRecord(this.#slot, checkTime('latencyNanos', latencyNanos))
  }

  recordError(): void {
    native.metricsError(this.#slot)
  }

  recordDrop(): void {
    native.metricsDrop(this.#slot)
  }

  snapshot(): MetricsSnapshot {
    const values = new Float64Array(FIELDS.length)
    native.metricsSnapshot(this.#slot, values)
    const counted = Object.fromEntries(FIELDS.map((field, i) => [field, values[i]])) as Omit<MetricsSnapshot, 'print'>
    return { ...counted, print: (stage) => void process.stdout.write(table(counted, stage)) }
  }
}

function table(s: Omit<MetricsSnapshot, 'print'>, stage: string): string {
  const micros = (nanos: number) => `${(nanos / 1000).toFixed(2)} µs`
  const share = (n: number) => `${((100 * n) / Math.max(s.processed + s.errors + s.dropped, 1)).toFixed(2)} %`
  const rows = [
    ['Processed', s.processed],
    ['Errors', `${s.errors} (${share(s.errors)})`],
    ['Dropped', `${s.dropped} (${share(s.dropped)})`],
    ['Latency avg', micros(s.avgLatencyNs)],
    ['Latency min', micros(s.minLatencyNs)],
    ['Latency p50', micros(s.p50LatencyNs)],
    ['Latency p99', micros(s.p99LatencyNs)],
    ['Latency p99.9', micros(s.p999LatencyNs)],
    ['Latency max', micros(s.maxLatencyNs)],
  ]
  return `\n=== ${stage} Metrics ===\n${rows.map(([label, value]) => `${`${label}:`.padEnd(15)}${value}\n`).join('')}`
}
