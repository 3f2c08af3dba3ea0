import { isIPv4, isIPv6 } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { serveMetrics as Face } from '../../metrics.js'
import { checkInteger, checkList, checkOptions, checkString, refuse } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { call, native } from '../native.js'
import { Run } from '../pipeline/run.js'
import { DIST } from '../place.js'
import { loaderFlags } from '../stage/loader-flags.js'
import type { ServerData, ServerMessage } from './server.js'
import { StageMetrics } from './stage-metrics.js'

const OPTIONS = ['host', 'port', 'allowRemote', 'labels', 'names', 'metrics']

/** What the system says of an address, in words. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'one that is in use',
  EADDRNOTAVAIL: 'an address that this machine does not have',
  EACCES: 'one that this user may not listen on',
  ENOTFOUND: 'a host that has no address',
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

function labelsOf(labels: Readonly<Record<string, string>>): string[] {
  if (typeof labels !== 'object' || labels === null) refuse('labels', 'an object of names and values', labels)
  return Object.entries(labels).flatMap(([name, value]) => [name, checkString(`labels.${name}`, value)])
}

/** The slots of metrics, each of a name of its own: two of one name would be one series. */
function slotsOf(metrics: readonly unknown[]): number[] {
  const names = new Set<string>()
  return metrics.map((one) => {
    const slot = StageMetrics.slotOf(one)
    if (slot === undefined) return refuse('metrics', 'StageMetrics in the array', one)
    const { name } = one as StageMetrics
    if (names.has(name)) refuse('metrics', 'names that differ', name)
    names.add(name)
    return slot
  })
}

/** What is served: a run, where it is one, and metrics of the user's own. */
function servedOf(of: unknown, metrics: ArrayLike<unknown>): { run: number | undefined; metrics: number[] } {
  const run = Run.slotOf(of)
  if (run === undefined && !Array.isArray(of))
    refuse('of', 'what start() of a pipeline gave, or an array of StageMetrics', of)
  const own = Array.from(checkList('metrics', metrics))
  return { run, metrics: slotsOf(run === undefined ? [...(of as unknown[]), ...own] : own) }
}

export const serveMetrics: typeof Face = async (of, o = {}) => {
  checkOptions(o, OPTIONS, 'serveMetrics')
  const served = servedOf(of, o.metrics ?? [])
  const { host = '127.0.0.1', allowRemote = false, labels = {} } = o
  const port = checkInteger('port', o.port ?? 9090, 0, 65_535)
  const names = Array.from(checkList('names', o.names ?? []), (name) => checkString('names', name))
  if (typeof allowRemote !== 'boolean') refuse('allowRemote', 'true or false', allowRemote)
  if (!allowRemote && !isLoopback(checkString('host', host))) {
    const why = 'who reaches the port reads the metrics'
    return refuse('host', `an address of this machine alone (127.0.0.1, ::1), or allowRemote: true, as ${why}`, host)
  }
  const token = call(() => native.scrapeLeave(served.run, served.metrics, labelsOf(labels)))
  const workerData: ServerData = { token, host, port, names }
  const worker = new Worker(new URL('metrics/server.js', DIST), { workerData, execArgv: loaderFlags() })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let error: unknown
  worker.on('error', (thrown) => {
    error = thrown
  })
  const message = await Promise.race([
    new Promise<ServerMessage>((resolve) => worker.once('message', resolve)),
    ended.then((): ServerMessage => ({ kind: 'failed', code: '', reason: String(error ?? 'its worker ended') })),
  ])
  if (message.kind === 'failed') {
    native.scrapeForget(token)
    await ended
    throw new VeloxError('VELOX_PORT_UNAVAILABLE', { host, port, reason: REASONS[message.code] ?? message.reason })
  }
  worker.unref()
  let closed: Promise<void> | undefined
  worker.once('exit', () => {
    if (!closed) process.emitWarning(`the server of metrics ended: ${String(error)}`, { code: 'VELOX_SERVER_ENDED' })
    // Held as long as it is served.
    void of
  })
  const close = () => {
    if (!closed) {
      worker.ref()
      worker.postMessage('close')
      closed = ended
    }
    return closed
  }
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${message.port}/metrics`
  return { url, close, [Symbol.asyncDispose]: close }
}
