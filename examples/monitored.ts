// Section 5 of the founding document: the accounts of a run once a second, and the metrics of a stage of one's own.
import { count, pipeline, poisson } from 'velox-engine'
import riskCheck from './monitored-stage.js'

const run = await pipeline('monitored')
  .from(poisson({ perSecond: 10_000, count: 25_000, seed: 1 }))
  .trades()
  .transactions()
  .stage(riskCheck, { name: 'risk-check', params: { maxSize: 100 } })
  .to(count('output'))
  .start()

for await (const { elapsedNanos, stages } of run.stats({ everyMillis: 1000 })) {
  const { in: taken, consumed, filtered } = stages.find(({ name }) => name === 'risk-check') ?? {}
  console.log(`${elapsedNanos / 1_000_000_000n} s: ${taken} in, ${consumed} passed, ${filtered} held back`)
}
const { balanced, stages } = await run.done()
const { in: transactions, consumed } = stages.find(({ name }) => name === 'risk-check') ?? {}
console.log(`Output: ${consumed} of ${transactions} transactions, ${balanced ? 'balanced' : 'unbalanced'}`)
