// Section 3 of the founding document: recorded trades two ways, bundled, and added up by symbol and price level.
import { count, fromIterable, pipeline, replay, sample, Transaction } from 'velox-engine'
import aggregation from './aggregation-stage.js'

// A stage can't write when its input has ended: a transaction of size 0, later than all others, closes its last window.
const end = { id: 0, price: 0, size: 0, side: 'bid', instrument: 0, ingressTsNs: 2n ** 64n - 1n } as const

const run = await pipeline('aggregation')
  .from(replay(sample.btcusdt))
  .trades()
  .transactions()
  .tee((all) => all.bundle().to(count('bundles')))
  .merge((t) => t.ingressTsNs, [pipeline('end').from(fromIterable(Transaction, [end]))])
  .stage(aggregation, { name: 'levels', params: { max: 256, windowMicros: 100_000 } })
  .start()

let [levels, size] = [0, 0]
for await (const batch of run.batches()) {
  for (let i = 0; i < batch.length; i++) size += batch.size(i)
  levels += batch.length
}
const { stages } = await run.done()
const { in: transactions, out: bundles } = stages.find(({ name }) => name === 'bundle') ?? { in: 0, out: 0 }
console.log(`${bundles} bundles and ${levels} levels of ${transactions} transactions, ${size} lots`)
