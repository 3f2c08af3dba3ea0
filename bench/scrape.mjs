// A scrape of a thousand series of a run that goes, over HTTP, while this event loop is free and while it is blocked nine
// tenths of the time: prints one line of JSON, ms.
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { count, pipeline, poisson } from 'velox-engine'
import { serveMetrics } from 'velox-engine/metrics'

const STAGES = 22
const SCRAPES = 300

let steps = pipeline('scraped')
  .from(poisson({ perSecond: 100_000 }))
  .trades()
for (let i = 0; i < STAGES; i++) steps = steps.filter((t) => t.qty.gt(0), { name: `filter-${i}` })
const run = await steps.to(count('output')).start()
const server = await serveMetrics(run, { port: 0 })

const client = `const { parentPort, workerData: { url, scrapes } } = require('node:worker_threads')
const scrape = async () => (await fetch(url)).text()
parentPort.on('message', async () => {
  const millis = []
  for (let i = 0; i < scrapes; i++) {
    const start = performance.now()
    await scrape()
    millis.push(performance.now() - start)
  }
  millis.sort((a, b) => a - b)
  const at = (q) => millis[Math.floor(q * (millis.length - 1))]
  const text = await scrape()
  const series = text.split('\\n').filter((line) => line !== '' && line[0] !== '#').length
  parentPort.postMessage({ series, bytes: text.length, p50: at(0.5), p99: at(0.99) })
})`
const asker = new Worker(client, { eval: true, workerData: { url: server.url, scrapes: SCRAPES } })

async function measure(isBlocked) {
  let result
  asker.once('message', (message) => {
    result = message
  })
  asker.postMessage('go')
  while (!result) {
    const until = performance.now() + (isBlocked ? 90 : 0)
    while (performance.now() < until);
    await (isBlocked ? turn() : new Promise((resolve) => setTimeout(resolve, 10)))
  }
  return result
}

await measure(false)
const [free, blocked] = [await measure(false), await measure(true)]
await asker.terminate()
await server.close()
const report = await run.stop()
console.log(JSON.stringify({ free, blocked, balanced: report.balanced }))
