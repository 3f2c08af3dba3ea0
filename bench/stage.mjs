// A filter of trades by quantity, half of which pass: as a stage in TypeScript fused in the native loop, as a native
// expression, and as plain JavaScript that makes an object a record. Prints one line of JSON: ns a record, beyond what the
// same native pipeline takes without the filter.
import { count, pipeline, poisson } from 'velox-engine'
import large from './large-stage.mjs'

const RECORDS = 3_000_000
const ROUNDS = 9

const trades = () =>
  pipeline('bench')
    .from(poisson({ perSecond: 1e6, count: RECORDS, pace: 'max' }))
    .trades()

async function nanosOf(chain) {
  const report = await (await chain.start({ wait: 'spin' })).done()
  if (!report.balanced) throw new Error('not balanced')
  return Number(report.elapsedNanos) / RECORDS
}

/** What a hand-rolled pipeline does: an object for each record on its way from one array to the next. */
function plain() {
  const start = process.hrtime.bigint()
  let passed = 0
  for (let from = 0; from < RECORDS; from += 256) {
    const batch = []
    for (let i = from; i < from + 256; i++) {
      batch.push({
        id: i,
        instrument: 1,
        side: 'bid',
        price: 1_000_000 + i,
        qty: (i * 7) & 127,
        exchangeTs: i,
        receiveTs: i,
      })
    }
    const kept = batch.filter((trade) => trade.qty >= 64).map((trade) => ({ ...trade }))
    passed += kept.length
  }
  return [Number(process.hrtime.bigint() - start) / RECORDS, passed]
}

const rounds = { stage: [], expression: [], plain: [] }
for (let i = -1; i < ROUNDS; i++) {
  const native = await nanosOf(trades().to(count()))
  const stage = (await nanosOf(trades().stage(large).to(count()))) - native
  const expression =
    (await nanosOf(
      trades()
        .filter((t) => t.qty.ge(64))
        .to(count()),
    )) - native
  const [plainNanos] = plain()
  if (i < 0) continue
  rounds.stage.push(stage)
  rounds.expression.push(expression)
  rounds.plain.push(plainNanos)
}
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  return { p10: sorted[0], p50: sorted[Math.floor(sorted.length / 2)], p90: sorted.at(-1) }
}
console.log(JSON.stringify(Object.fromEntries(Object.entries(rounds).map(([k, v]) => [k, spread(v)]))))
