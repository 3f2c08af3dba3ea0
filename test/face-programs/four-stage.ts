import { parseArgs } from 'node:util'
import { count, L2Book, pipeline, replay, sample } from 'velox-engine'

const { values } = parseArgs({
  options: { data: { type: 'string' }, max: { type: 'boolean' }, json: { type: 'boolean' } },
})
const market = replay(values.data ?? sample.btcusdt, { pace: values.max ? 'max' : 'recorded' })
const book = new L2Book({ instrument: market.instrument() })
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())

const run = await pipeline('four-stage')
  .from(market)
  .book(book, { verify: 'quotes' })
  .trades()
  .transactions()
  .bundle({ max: 16, timeoutMicros: 100 })
  .to(count('output'))
  .start({ stopOn: interrupt.signal })

for await (const stats of run.stats({ everyMillis: 250 })) process.stderr.write(`\r${stats}`)
const report = await run.done()
console.log(values.json ? JSON.stringify(report) : String(report))
process.exitCode = report.balanced && report.verified?.checked === report.verified?.agreed ? 0 : 1
