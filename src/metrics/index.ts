export { jsonLines } from './json-lines.js'
export { registerMetrics } from './registry.js'
export { serveMetrics } from './serve.js'
export { statsd } from './statsd.js'
