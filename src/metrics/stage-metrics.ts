import type { StageMetrics as Face, MetricsSnapshot } from '../../index.js'
import { checkName, checkTime } from '../errors/check.js'
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
    this.name = checkName('name', name)
    this.#slot = owned(this, native.metricsNew(name))
  }

  /** The slot of such metrics, for what only looks at them; undefined for anything else. */
  static slotOf(metrics: unknown): number | undefined {
    return typeof metrics === 'object' && metrics !== null && #slot in metrics ? metrics.#slot : undefined
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
    return snapshotOf(Object.fromEntries(FIELDS.map((field, i) => [field, values[i]])) as Numbers)
  }
}

export type Numbers = Omit<MetricsSnapshot, 'print'>

/** A snapshot prints itself as Rust prints it: the same lines, rounded in the same way. */
export function snapshotOf(numbers: Numbers): MetricsSnapshot {
  const lines = () => native.metricsLines(FIELDS.map((field) => numbers[field]))
  return { ...numbers, print: (stage) => void process.stdout.write(`\n=== ${stage} Metrics ===\n${lines()}\n`) }
}
