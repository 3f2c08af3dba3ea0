// What a `velox top` that looks at a run costs the run: pairs of runs of the four stages as fast as they go, one of each with a
// real `velox top` attached, one with it stopped, in an order that changes. Prints one line of JSON: the ratio of the two
// throughputs, the geometric mean over the pairs, and its 95 % interval (Student's t of the logarithms).
//
// PAIRS of them (31, or the first argument).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { count, L2Book, pipeline, poisson } from 'velox-engine'

const PAIRS = Number(process.argv[2] ?? 31)
const NAME = 'attached-bench'
const ARRIVALS = 8_000_000
/** As often as it can be told to look. */
const EVERY_MILLIS = 100
/** A run is watched when it was drawn so often. */
const LEAST_SAMPLES = 2

if (!Number.isSafeInteger(PAIRS) || PAIRS < 5) {
  console.error(`pairs: expected a whole number from 5 on, got ${process.argv[2]}`)
  process.exit(2)
}

async function start(records) {
  const market = poisson({ perSecond: 1e6, count: records, seed: 1, pace: 'max' })
  return pipeline(NAME)
    .from(market)
    .book(new L2Book({ instrument: market.instrument() }))
    .trades()
    .transactions()
    .bundle()
    .to(count('output'))
    .start({ wait: 'spin' })
}

/** `velox top` on the runs of this process; it looks while it isn't stopped. */
async function velox() {
  const cli = fileURLToPath(new URL('../dist/cli/index.js', import.meta.url))
  const args = ['top', NAME, '--json', '--every', String(EVERY_MILLIS)]
  // It needs a run to attach to; from then on it follows each that starts.
  const first = await start(2 * ARRIVALS)
  const top = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const seen = []
  createInterface({ input: top.stdout }).on('line', (line) => seen.push(JSON.parse(line)))
  await first.done()
  if (seen.length === 0 || top.exitCode !== null) throw new Error('expected velox top to find the run, got no sample')
  return { top, seen }
}

const { top, seen } = await velox()

/** Records a second of one run. */
async function measure(isWatched) {
  top.kill(isWatched ? 'SIGCONT' : 'SIGSTOP')
  const before = seen.length
  const run = await start(ARRIVALS)
  const report = await run.done()
  if (!report.balanced) throw new Error('not balanced')
  // What it wrote is on its way.
  await new Promise((resolve) => setTimeout(resolve, isWatched ? 2 * EVERY_MILLIS : 0))
  const samples = seen.slice(before).filter(({ state }) => state === 'running').length
  if (isWatched ? samples < LEAST_SAMPLES : samples > 0)
    throw new Error(`expected a run that is ${isWatched ? '' : 'not '}watched, got ${samples} samples`)
  return { perSecond: report.perSecond, samples }
}

/** The 97.5th percentile of Student's t, by the expansion of Cornish and Fisher about the normal one: right to 0.1 % from 4 on. */
function student(freedom) {
  const z = 1.959964
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ]
  return terms.reduce((t, term, i) => t + term / freedom ** (i + 1), z)
}

const logs = []
const rates = { attached: [], alone: [] }
let samples = 0
await measure(true)
for (let i = 0; i < PAIRS; i++) {
  const pair = {}
  for (const isWatched of i % 2 === 0 ? [true, false] : [false, true]) {
    const measured = await measure(isWatched)
    pair[isWatched ? 'attached' : 'alone'] = measured.perSecond
    samples += measured.samples
  }
  for (const [which, rate] of Object.entries(pair)) rates[which].push(rate)
  logs.push(Math.log(pair.attached / pair.alone))
}
top.kill('SIGCONT')
top.kill('SIGTERM')
await once(top, 'exit')

const mean = logs.reduce((sum, log) => sum + log, 0) / PAIRS
const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (PAIRS - 1))
const half = (student(PAIRS - 1) * deviation) / Math.sqrt(PAIRS)
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
console.log(
  JSON.stringify({
    pairs: PAIRS,
    samples,
    attached: median(rates.attached),
    alone: median(rates.alone),
    ratio: Math.exp(mean),
    interval: [Math.exp(mean - half), Math.exp(mean + half)],
  }),
)
