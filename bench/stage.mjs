// A filter of trades by quantity, half of which pass, in one interleaved run: as a stage in TypeScript fused in the native
// loop, as a native expression, as plain JavaScript over objects, and as a worker between two rings; then what a record
// that comes alone pays, and latencies. Prints one line of JSON.
import { BroadcastChannel, Worker } from 'node:worker_threads'
import { count, pipeline, poisson, RingBuffer, Trade } from 'velox-engine'
import large from './large-stage.mjs'
import late from './late-stage.mjs'

const RECORDS = Number(process.env.VELOX_BENCH_RECORDS ?? 10_000_000)
const ROUNDS = Number(process.env.VELOX_BENCH_ROUNDS ?? 7)
const SECONDS = 3
const LEAST = 64

const market = (o) => pipeline('bench').from(poisson(o)).trades()
const trades = () => market({ perSecond: 1e6, count: RECORDS, pace: 'max' })

async function reportOf(chain, o = { wait: 'spin' }) {
  const report = await (await chain.start(o)).done()
  if (!report.balanced) throw new Error('not balanced')
  return report
}

/** Each run has a worker of its own: what its code takes to get warm is in the figure. */
const nanosOf = async (chain) => Number((await reportOf(chain)).elapsedNanos) / RECORDS

/** What the objects are made of, as it would come out of a decoder. Random, as the native trades are. */
const SOURCE = 65_536
const made = {
  price: Int32Array.from({ length: SOURCE }, () => 1_000_000 + Math.random() * 1_000),
  qty: Int32Array.from({ length: SOURCE }, () => Math.random() * 2 * LEAST),
  time: Float64Array.from({ length: SOURCE }, (_, i) => 1.7e15 + i),
}

/**
 * What a hand-rolled pipeline does: an object for each record, an array for each batch, `filter`, then the `map` of the
 * next stage. Its times are numbers: exact ones, bigints, would cost it as much again.
 */
function plain() {
  const start = process.hrtime.bigint()
  let passed = 0
  for (let from = 0; from < RECORDS; from += 256) {
    const batch = []
    for (let i = from; i < from + 256; i++) {
      const at = i & (SOURCE - 1)
      batch.push({
        id: i,
        instrument: 1,
        side: i & 1 ? 'ask' : 'bid',
        price: made.price[at],
        qty: made.qty[at],
        exchangeTs: made.time[at],
        receiveTs: made.time[at],
      })
    }
    passed += batch.filter((trade) => trade.qty >= LEAST).map((trade) => ({ ...trade })).length
  }
  if (passed < RECORDS / 4) throw new Error('half should pass')
  return Number(process.hrtime.bigint() - start) / RECORDS
}

/** The same stage in a worker that reads an input ring and writes an output ring, between two native pipelines. */
async function behindRings() {
  const [input, output] = [new RingBuffer(Trade, 16_384), new RingBuffer(Trade, 16_384)]
  const workerData = { input: input.share(), output: output.share(), records: RECORDS, least: LEAST }
  const worker = new Worker(new URL('./ring-worker.mjs', import.meta.url), { workerData })
  const exited = new Promise((resolve) => worker.on('exit', resolve))
  const end = reportOf(pipeline('end').from(output).to(count()), {})
  const start = process.hrtime.bigint()
  await Promise.all([reportOf(trades().to(input), {}), end])
  const nanos = Number(process.hrtime.bigint() - start) / RECORDS
  await exited
  return nanos
}

/** What a stage adds to the way of a record that comes alone, at even arrivals with time between them. */
async function alone() {
  const arrivals = () => market({ perSecond: 1e6, count: 1e6, pace: { perSecond: 1e6 } })
  const without = await reportOf(arrivals().to(count()))
  const fused = await reportOf(arrivals().stage(large).to(count()))
  return fused.endToEndNanos.p50 - without.endToEndNanos.p50
}

/** Notes of a stage's first second are left out: its code gets warm. */
const WARM = 1 / SECONDS

/**
 * From scheduled arrival to output by the report; and, apart from what the machine's stalls did, to the stage by its own
 * notes. The report has the stalls' sum. The arrivals that met one are those that came in it and those that came while
 * what had come was caught up with, at `nanos` a record; they are taken to be the slowest. What the script's thread does
 * itself (its event loop's turn, garbage collection, compilation) is no stall.
 */
async function latency(perSecond, nanos) {
  const arrivals = () => market({ perSecond, count: perSecond * SECONDS, pace: 'recorded' })
  const { endToEndNanos: e, stalls, elapsedNanos } = await reportOf(arrivals().stage(large).to(count()))
  const channel = new BroadcastChannel('late')
  const told = new Promise((resolve) => {
    channel.onmessage = (event) => resolve(event.data)
  })
  const noted = await reportOf(
    arrivals()
      .stage(late, { params: { count: perSecond * SECONDS } })
      .to(count()),
  )
  const micros = await told
  channel.close()
  // The two clocks have different zeros: the fastest record took what the report says.
  const zero = micros.reduce((least, each) => Math.min(least, each), Infinity) - noted.stages[2].latencyNanos.min / 1000
  const warm = micros.slice(micros.length * WARM).sort()
  const share = noted.stalls.totalNanos / Number(noted.elapsedNanos) / (1 - (perSecond * nanos) / 1e9)
  const at = (q) => (warm[Math.floor((warm.length - 1) * q)] - zero) * 1000
  return {
    p50: e.p50,
    p90: e.p90,
    p99: e.p99,
    stallShare: stalls.totalNanos / Number(elapsedNanos),
    stallMax: stalls.maxNanos,
    clean99: at(0.99 * (1 - share)),
    cleanShare: 1 - share,
  }
}

const RATES = [100_000, 1_000_000]
const rounds = { native: [], fused: [], expression: [], plain: [], rings: [], alone: [] }
const latencies = Object.fromEntries(RATES.map((rate) => [rate, []]))
for (let i = -1; i < ROUNDS; i++) {
  const native = await nanosOf(trades().to(count()))
  const fused = (await nanosOf(trades().stage(large).to(count()))) - native
  const filtered = trades().filter((t) => t.qty.ge(LEAST))
  const expression = (await nanosOf(filtered.to(count()))) - native
  const round = { native, fused, expression, plain: plain(), rings: await behindRings(), alone: await alone() }
  const late = []
  for (const rate of RATES) late.push(await latency(rate, native + Math.max(fused, 0)))
  // The first round warms up what can be.
  if (i < 0) continue
  for (const [name, nanos] of Object.entries(round)) rounds[name].push(nanos)
  for (const [k, rate] of RATES.entries()) latencies[rate].push(late[k])
}

const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  return { p10: sorted[0], p50: sorted[Math.floor(sorted.length / 2)], p90: sorted.at(-1) }
}
const spreads = (of) => Object.fromEntries(Object.entries(of).map(([name, values]) => [name, spread(values)]))
const column = (list) => Object.fromEntries(Object.keys(list[0]).map((key) => [key, list.map((each) => each[key])]))
// Each round's own ratio, so that a slow moment of the machine is in both.
const times = (name) => spread(rounds[name].map((nanos, i) => nanos / rounds.fused[i]))
console.log(
  JSON.stringify({
    records: RECORDS,
    rounds: ROUNDS,
    ...spreads(rounds),
    plainByFused: times('plain'),
    ringsByFused: times('rings'),
    latency: Object.fromEntries(RATES.map((rate) => [rate, spreads(column(latencies[rate]))])),
  }),
)
