/**
 * The public types of `velox-engine/metrics`: the numbers of a run where others look for them.
 * @module
 */
import type { Exporter, Report, Run, StageMetrics, Stats, Topology } from './index.js'

/**
 * Serves the metrics of a run, or of stages of your own, at `/metrics` for Prometheus, on a thread of its own: it answers while
 * the event loop is at work. After a run's end the last numbers stay until `close()`. It doesn't keep the process alive by itself.
 *
 * It answers GET and HEAD, of 64 clients at once, and only where the request's Host is an address, `localhost` or one of
 * `names`. VELOX_PORT_UNAVAILABLE where it can't listen.
 *
 * ```ts
 * const server = await serveMetrics(run, { port: 9090, metrics: [new StageMetrics('risk-check')] })
 * // … http://127.0.0.1:9090/metrics
 * await server.close()
 * ```
 */
export function serveMetrics(
  // biome-ignore lint/suspicious/noExplicitAny: a run of any type
  of: Run<any> | readonly StageMetrics[],
  o?: {
    /**
     * Metrics of your own beside those of a run: `velox_custom_stage_processed_total`, `_errors_total`, `_dropped_total` and
     * `_latency_seconds`, each under its name as the label `stage`. Names that are the same are refused.
     */
    metrics?: readonly StageMetrics[]
    /** Where it listens: '127.0.0.1'. An address that others reach needs `allowRemote: true`. */
    host?: string
    /** 9090; 0 for a free one, which `url` tells. */
    port?: number
    allowRemote?: boolean
    /** Labels of every sample, where one Prometheus scrapes several runs of one job. */
    labels?: Readonly<Record<string, string>>
    /** Names besides `host` and `localhost` by which it is asked; against pages that point a name of theirs here. */
    names?: readonly string[]
  },
): Promise<AsyncDisposable & { readonly url: string; close(): Promise<void> }>

/** What a `Registry` of prom-client has. */
export interface MetricRegistry {
  // biome-ignore lint/suspicious/noExplicitAny: the registry's own type of metrics
  registerMetric(metric: any): void
  getSingleMetric(name: string): unknown
  removeSingleMetric(name: string): void
  readonly contentType?: string
}
/**
 * Puts the metrics of a run into a registry of prom-client, beside your own: it looks at the run whenever it is asked. `close()`
 * takes them out. A registry has room for one run.
 *
 * ```ts
 * import { register } from 'prom-client'
 * const registered = registerMetrics(run, register)
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: a run of any type
export function registerMetrics(run: Run<any>, registry: MetricRegistry): { close(): void }

/** What a StatsD client such as `hot-shots` has. */
export interface StatsdClient {
  increment(name: string, by: number): void
  gauge(name: string, value: number): void
}
/**
 * Counts (`velox.<name>.processed`, `.errors`, `.dropped`) as what came since the last time, latencies
 * (`velox.<name>.latency_ns.p99`, …) as gauges, of the time since the start, once there are any. In a name all but letters, digits, `_` and `-` becomes `_`.
 *
 * ```ts
 * import { StatsD } from 'hot-shots'
 * const reporter = report(run, statsd(new StatsD({ host: '127.0.0.1' })))
 * ```
 */
export function statsd(client: StatsdClient, o?: { prefix?: string }): Exporter

/** A line of JSON for each snapshot: `{"time":"…","name":"…","processed":1,…}`. Waits for the stream. */
export function jsonLines(to: { write(text: string, written: (error?: Error | null) => void): unknown }): Exporter

/** What is published to the channel `velox-engine:stats` of `node:diagnostics_channel`, once a second and at a run's end. */
export interface PublishedStats {
  /** The run's name. */
  readonly run: string
  readonly ended: boolean
  readonly stats: Stats
}

/** All that is known of a run that has ended, as plain data: what `out.json` holds, by `velox-engine/report.schema.json`. */
export interface RunReport {
  /** Of this form; another one has another number. */
  readonly version: 1
  /** The pipeline's name. */
  readonly run: string
  /** When its history began, as in '2024-08-08T12:00:00.000Z'. */
  readonly startedAt: string
  /** Why it did not come to its end; absent where it did, or was stopped. */
  readonly failure?: {
    readonly code: 'VELOX_STAGE_FAILED' | 'VELOX_RUN_ABORTED'
    readonly message: string
    /** The stage that failed. */
    readonly stage?: string
  }
  /** What it was measured on. */
  readonly machine: {
    readonly processor: string
    /** Processors that this process may use. */
    readonly cores: number
    readonly memoryBytes: number
    readonly system: string
    readonly architecture: string
    readonly runtime: string
    /** The version of velox-engine. */
    readonly engine: string
    /** What its clock counts by: 'tsc' or the system's clock. */
    readonly clock: string
  }
  readonly report: Omit<Report, 'elapsedNanos' | 'toString' | 'toJSON'> & { readonly elapsedNanos: number }
  readonly topology: Topology
  /** Whole latency histograms; none of a run without metrics. */
  readonly histograms: readonly {
    /** Absent for the machine's hiccups. */
    readonly stage?: string
    readonly hop: 'stage' | 'endToEnd' | 'bundleWait' | 'hiccup'
    /** Of each filled bucket the largest value in ns, and how many it holds; by value. */
    readonly buckets: readonly (readonly [nanos: number, count: number])[]
    /** In ns. */
    readonly sum: number
    readonly count: number
  }[]
  /** Numbers at the same instants, by columns; the last is the end. */
  readonly history: {
    /** How far apart they are, about: `elapsedNanos` is exact. */
    readonly everyMillis: number
    readonly elapsedNanos: readonly number[]
    /** Records that each stage had taken. */
    readonly stages: readonly { readonly name: string; readonly in: readonly number[] }[]
    /** Records that waited in each edge. */
    readonly edges: readonly {
      readonly from: string
      readonly to: string
      /** How many it holds at most. */
      readonly capacity: number
      readonly inFlight: readonly number[]
    }[]
  }
}

/**
 * Looks at a run every `everyMillis` (100) until it ends, for its report. At most 512 instants are kept, evenly apart: of a long run
 * they are further apart. The engine's threads do nothing for it; a look takes the event loop a fraction of a millisecond.
 *
 * `done()` waits for the end as that of the run does, and rejects as that does. `settled()` gives the report of a run that has
 * failed or was aborted too, with its `failure`: what was counted until then.
 *
 * ```ts
 * const recorded = history(run)
 * await writeReport('out.html', await recorded.settled())
 * ```
 */
export function history(
  // biome-ignore lint/suspicious/noExplicitAny: a run of any type
  run: Run<any>,
  o?: { everyMillis?: number },
): { done(): Promise<RunReport>; settled(): Promise<RunReport> }

/**
 * The report as one page of HTML: text and drawings without a script, for light and dark, from 390 px of width on. It asks the
 * network for nothing, and says so to the browser (a Content-Security-Policy). Each figure has its place in the report beside
 * it: `data-path="report.stages.0.in"`, and `data-value`. VELOX_INVALID_VALUE for a report of another version.
 */
export function renderReport(report: RunReport): string

/**
 * Writes a page for '.html', the report itself for '.json'. VELOX_INVALID_VALUE for any other ending, VELOX_FILE_UNWRITABLE.
 */
export function writeReport(path: string | URL, report: RunReport): Promise<void>
