// Two workers that live on, for ways of passing batches: `node pairs.mjs [PAIRS]`. Each pair makes ten trials to warm up and thirty that
// count, of half a million records; prints M records a second (median, quartiles), and how often each end found nothing to do in a trial.
// Pairs of the ways take turns: within a pair little moves, and between pairs the host moves the cores.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { waits, ways } from './ends.mjs'

const NAMES = ['velox fill/drain 256', 'ringbuf.js 256']
const RECORDS = 500_000
const WARM_UP = 10
const TRIALS = 30

/** One end of a pair: its trials. */
function end({ way, side, memory, gate }) {
  const { attach, push, pop } = ways[way]
  const ring = attach(memory)
  const arrived = new Int32Array(gate)
  const trials = []
  for (let trial = 0; trial < WARM_UP + TRIALS; trial++) {
    waits.count = 0
    Atomics.add(arrived, 0, 1)
    while (Atomics.load(arrived, 0) < 2 * (trial + 1));
    const begin = performance.now()
    const sum = (side === 'push' ? push : pop)(ring, RECORDS)
    if (trial >= WARM_UP) trials.push({ millis: performance.now() - begin, waits: waits.count, sum })
  }
  return trials
}

async function pair(way) {
  const shared = { way, memory: ways[way].memory(), gate: new SharedArrayBuffer(4) }
  const trialsOf = (side) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { ...shared, side } })
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  const [pushed, popped] = await Promise.all(['push', 'pop'].map(trialsOf))
  let expected = 0
  for (let id = 0; id < RECORDS; id++) expected += id & 1023
  if (popped.some(({ sum }) => sum !== expected)) throw new Error(`${way}: a sum that is not ${expected}`)
  const at = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]
  const rates = popped.map(({ millis }) => RECORDS / millis / 1_000)
  const waited = [pushed, popped].map((trials) =>
    at(
      trials.map((trial) => trial.waits),
      0.5,
    ),
  )
  const [low, mid, high] = [0.25, 0.5, 0.75].map((share) => at(rates, share).toFixed(1))
  return `| ${way} | ${mid} (${low} – ${high}) | ${waited.join(' | ')} |`
}

if (isMainThread) {
  console.log('| | M records a second | full | empty |\n|---|---|---|---|')
  for (let round = 0; round < Number(process.argv[2] ?? 4); round++)
    for (const way of NAMES) console.log(await pair(way))
} else parentPort.postMessage(end(workerData))
