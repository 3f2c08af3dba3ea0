/**
 * The public types of `velox-engine/metrics`: the numbers of a run where others look for them.
 * @module
 */
import type { Exporter, Run, Stats } from './index.js'

/**
 * Serves the metrics of a run at `/metrics` for Prometheus, on a thread of its own: it answers while the event loop is at work.
 * After the run's end the last numbers stay until `close()`. It doesn't keep the process alive by itself.
 *
 * It answers GET and HEAD, of 64 clients at once, and only where the request's Host is an address, `localhost` or one of
 * `names`. VELOX_PORT_UNAVAILABLE where it can't listen.
 *
 * ```ts
 * const server = await serveMetrics(run, { port: 9090 })
 * // … http://127.0.0.1:9090/metrics
 * await server.close()
 * ```
 */
export function serveMetrics(
  // biome-ignore lint/suspicious/noExplicitAny: a run of any type
  run: Run<any>,
  o?: {
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
 * (`velox.<name>.latency_ns.p99`, …) as gauges. In a name all but letters, digits, `_` and `-` becomes `_`.
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
