import type { Exporter, MetricsSnapshot } from '../../index.js'
import type { statsd as Face } from '../../metrics.js'
import { checkOptions, checkString, refuse } from '../errors/check.js'

const COUNTS = ['processed', 'errors', 'dropped'] as const
const LATENCIES = ['avg', 'min', 'max', 'p50', 'p99', 'p999'] as const
/** In a name these would part it from its value, or one name from the next. */
const RESERVED = /[^A-Za-z0-9_-]+/g

export const statsd: typeof Face = (client, o = {}): Exporter => {
  checkOptions(o, ['prefix'], 'statsd')
  const prefix = checkString('prefix', o.prefix ?? 'velox.')
  if (!/^[\w.-]*$/.test(prefix)) refuse('prefix', 'letters, digits, and . _ -', prefix)
  if (typeof client?.increment !== 'function' || typeof client.gauge !== 'function')
    refuse('client', 'a StatsD client with increment and gauge, such as one of hot-shots', client)
  const sent = new Map<string, Pick<MetricsSnapshot, (typeof COUNTS)[number]>>()
  return {
    export(name, snapshot) {
      const path = `${prefix}${name.replaceAll(RESERVED, '_')}`
      const before = sent.get(name)
      // The server adds up: it is told what came since the last time.
      for (const count of COUNTS) {
        const [now, then] = [snapshot[count], before?.[count] ?? 0]
        // Less than before is another run of this name, which began anew.
        const more = now < then ? now : now - then
        if (more > 0) client.increment(`${path}.${count}`, more)
      }
      sent.set(name, snapshot)
      // A source has none, and none is not 0 ns.
      if (snapshot.maxLatencyNs === 0) return
      for (const which of LATENCIES) client.gauge(`${path}.latency_ns.${which}`, snapshot[`${which}LatencyNs`])
    },
  }
}
