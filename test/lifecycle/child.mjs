// One case: `child.mjs kind state end`. Says `reached` in the state, `closing` at the end, `closed` where something is left
// that can say it; more than that is an error that the parent sees.
import { existsSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { BroadcastChannel, isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { fromIterable, pipeline, poisson, RingBuffer, Trade, Transaction } from '../../dist/index.js'
import { UNCAUGHT } from './cases.mjs'
import slow, { CHANNEL } from './slow.mjs'

const [kind, state, end] = isMainThread ? process.argv.slice(2) : workerData.of
const PER_SECOND = 200_000
const RING = 1024

const say = (text) => writeSync(1, `${text}\n`)
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis))
const spin = (millis) => {
  for (const until = performance.now() + millis; performance.now() < until; );
}

/** Set when nothing may happen any more. */
let isClosed = false
const alive = () => {
  if (isClosed) say('after close')
}

/** How many native threads of runs there are, where the system tells. */
const threads = () =>
  (existsSync('/proc/self/task') ? readdirSync('/proc/self/task') : []).filter((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith('velox-')
    } catch {
      return false
    }
  }).length

/** All threads of the run are to be gone; what calls back afterwards says so. */
async function closed() {
  isClosed = true
  for (let i = 0; i < 100 && threads() > 0; i++) await sleep(10)
  if (threads() > 0) say(`${threads()} threads left`)
  await sleep(20)
  say('closed')
}

/** In the state: does what the case ends by. */
const ENDS = {
  'process.exit'() {
    say('closing')
    process.exit(7)
  },
  SIGINT() {
    say('closing')
    process.kill(process.pid, 'SIGINT')
    spin(2000)
  },
  'SIGINT handled'() {
    process.kill(process.pid, 'SIGINT')
  },
  'uncaught exception'() {
    say('closing')
    throw new Error(UNCAUGHT)
  },
  'worker.terminate'() {
    parentPort.postMessage('reached')
    if (state === 'mid-batch') spin(30)
  },
  'natural end'() {
    say('closing')
  },
}

let isReached = false
/** Says that the state is there, once, and ends. */
function reached() {
  if (isReached) return
  isReached = true
  say('reached')
  ENDS[end]()
}

/** What the source needs to end by itself; records a full ring needs more than it holds. */
let endSource = () => {}
const count = state === 'full ring' ? 20_000 : 3_000

function source() {
  const goesOn = end !== 'natural end'
  if (state === 'mid-batch') return poisson({ perSecond: PER_SECOND, ...(!goesOn && { count }) })
  if (state === 'full ring') return poisson({ perSecond: 1e6, pace: 'max', ...(!goesOn && { count }) })
  if (kind === 'native') return poisson({ perSecond: 0.001 })
  if (kind === 'stage') {
    const ring = new RingBuffer(Trade, RING)
    endSource = () => ring.close()
    return ring
  }
  const never = new Promise((resolve) => {
    endSource = resolve
  })
  const ends = never.then(() => ({ done: true, value: undefined }))
  return fromIterable(Trade, { [Symbol.asyncIterator]: () => ({ next: () => ends }) })
}

const ring = new RingBuffer(Transaction, RING)

async function start() {
  const from = pipeline('p').from(source())
  const trades = from.type === Trade ? from : from.trades()
  if (kind === 'native') return trades.transactions().to(ring).start()
  if (kind === 'stage') {
    const stage = trades.stage(slow, { params: { busy: Number(state === 'mid-batch') } })
    return stage.transactions().to(ring).start()
  }
  const tap = (batch) => {
    alive()
    // An exception of a callback is its stage's: nobody catches that of the loop over batches.
    if (batch.length > 0 && state === 'mid-batch' && end !== 'uncaught exception') reached()
  }
  return trades.tap(tap).transactions({ capacity: RING }).start()
}

/** Reads the end of the run as a user would: by a timer, or by a loop over batches. */
async function read(run) {
  if (kind === 'main') {
    for await (const batch of run.batches()) {
      alive()
      if (batch.length > 0 && state === 'mid-batch') reached()
    }
    return
  }
  const inDrain = kind === 'native' && state === 'mid-batch'
  const drain = () => {
    alive()
    ring.drain(() => inDrain && reached())
  }
  const timer = setInterval(drain, 1)
  await run.done().finally(() => clearInterval(timer))
}

/** Ends the run: one whose last ring nobody reads can only be aborted. */
async function stop(run) {
  if (state === 'full ring' && kind !== 'main') {
    run.abort('enough')
    await run.done().then(
      () => say('no abort'),
      ({ code }) => code === 'VELOX_RUN_ABORTED' || say(code),
    )
    return
  }
  const report = await run.stop()
  if (!report.balanced) say(`unbalanced: ${report}`)
}

/** Waits until the last ring is full. */
async function full(run) {
  if (kind !== 'main') {
    while (!ring.isFull) await sleep(1)
    return
  }
  for await (const { stages } of run.stats({ everyMillis: 5 })) if (stages.at(-1).in >= RING) return
}

async function main() {
  let interrupted = () => {}
  const interrupt = new Promise((resolve) => {
    interrupted = resolve
  })
  if (end === 'SIGINT handled') process.once('SIGINT', interrupted)
  const channel = kind === 'stage' && state === 'mid-batch' ? new BroadcastChannel(CHANNEL) : undefined
  if (channel)
    channel.onmessage = () => {
      channel.close()
      // Not in the channel's own callback, which has a way of its own with what is thrown.
      setImmediate(reached)
    }
  const run = await start()
  if (end === 'SIGINT handled')
    void interrupt.then(async () => {
      say('closing')
      await stop(run)
      process.exitCode = 130
      await closed()
    })
  if (state === 'full ring') {
    await full(run)
    reached()
  }
  if (state === 'idle') setTimeout(reached, 30)
  const isRead = state !== 'full ring' || end === 'natural end'
  const reading = isRead ? read(run) : undefined
  if (end === 'natural end') {
    if (state === 'idle') {
      await sleep(60)
      if (kind === 'native') void run.stop()
      endSource()
    }
    await reading
    const report = await run.done()
    if (!report.balanced) say(`unbalanced: ${report}`)
    const { consumed } = report.stages.at(-1)
    if (state !== 'idle' && consumed !== count) say(`${consumed} records of ${count}`)
    await closed()
  }
  await reading
}

if (isMainThread && end === 'worker.terminate') {
  const worker = new Worker(new URL(import.meta.url), { workerData: { of: [kind, state, end] } })
  await new Promise((resolve) => worker.once('message', resolve))
  say('closing')
  await worker.terminate()
  await closed()
} else {
  // Not awaited here: while its main module is not through, Bun reports an exception and goes on.
  void main()
}
