// Metrics of one’s own, and exporters.
import type { Run } from './runs.js'

export interface MetricsSnapshot {
  readonly processed: number
  readonly errors: number
  readonly dropped: number
  readonly avgLatencyNs: number
  readonly minLatencyNs: number
  readonly maxLatencyNs: number
  readonly p50LatencyNs: number
  readonly p99LatencyNs: number
  readonly p999LatencyNs: number
  /** Writes the document's lines to standard output, as Rust writes them. */
  print(stage: string): void
}
/** Where snapshots go: see `velox-engine/metrics` for some that there are. */
export interface Exporter {
  export(name: string, s: MetricsSnapshot): void | Promise<void>
}
/**
 * Exports metrics every `everyMillis` (1,000), and once at close; of a run each of its stages, `dropped` being what found no room
 * before it. It doesn't keep the process alive. An exporter that throws or rejects is told once by a process warning
 * (VELOX_EXPORT_FAILED) and tried again; `close()` rejects with what the last export failed of. One that is slower than its
 * turns is waited for, and the turns between are left out.
 *
 * ```ts
 * const reporter = report([metrics], { export: (name, snapshot) => snapshot.print(name) })
 * // …
 * await reporter.close()
 * ```
 */
export function report(
  // biome-ignore lint/suspicious/noExplicitAny: a run of any type
  of: readonly StageMetrics[] | Run<any>,
  to: Exporter,
  o?: { everyMillis?: number },
): AsyncDisposable & { close(): Promise<void> }
/**
 * Transactions, their mean latency, and drops, as text that Prometheus reads. Counted natively, without a lock.
 *
 * ```ts
 * const metrics = new PrometheusMetrics()
 * metrics.recordTransaction(1_500)
 * metrics.export() // '# HELP velox_transactions_total …'
 * ```
 */
export class PrometheusMetrics {
  constructor()
  recordTransaction(latencyNanos: number | bigint): void
  recordDrop(): void
  export(): string
}
/** Counters and a latency histogram (1 ns to 60 s, 2 digits) of a stage of your own. */
export class StageMetrics {
  /** One line of 1 to 200 characters, as a step's name. */
  constructor(name: string)
  readonly name: string
  recordProcessing(latencyNanos: number | bigint): void
  recordError(): void
  recordDrop(): void
  /** All latencies are 0 before the first record. */
  snapshot(): MetricsSnapshot
}
