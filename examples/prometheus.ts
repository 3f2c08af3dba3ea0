// Section 5 of the founding document: transactions counted for Prometheus, and the metrics of the run, served by a thread
// of its own. With a port of your own as the argument it listens there.
import { clock, count, PrometheusMetrics, pipeline, poisson } from 'velox-engine'
import { serveMetrics } from 'velox-engine/metrics'

const MAX_SIZE = 100
const metrics = new PrometheusMetrics()

const run = await pipeline('prometheus')
  .from(poisson({ perSecond: 10_000, count: 10_000, seed: 1 }))
  .trades()
  .transactions()
  .tap((batch) => {
    for (let i = 0; i < batch.length; i++) {
      const start = clock.nanos()
      if (batch.size(i) > MAX_SIZE) metrics.recordDrop()
      else metrics.recordTransaction(clock.nanos() - start)
    }
  })
  .to(count('output'))
  .start()

const server = await serveMetrics(run, { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) })
console.log(`Metrics server listening on ${server.url}`)
await run.done()
console.log(metrics.export())
const scraped = await (await fetch(server.url)).text()
console.log(scraped.match(/^velox_(run_running|stage_in_total).*$/gm)?.join('\n'))
await server.close()
