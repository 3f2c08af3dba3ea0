// Every way in turn, interleaved: `node run.mjs [ROUNDS]`. M records a second from worker to worker, medians.
import { MessageChannel, Worker } from 'node:worker_threads'
import { RingBuffer } from 'velox-engine'
import { CAPACITY, Record, ways } from './ends.mjs'

const ROUNDS = Number(process.argv[2] ?? 7)
const RECORDS = 2_000_000
const WARM_UP = 300_000

const answer = (worker) =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

async function trial(way) {
  const { memory, fewer = 1 } = ways[way]
  const counts = [WARM_UP / fewer, RECORDS / fewer]
  const { port1, port2 } = new MessageChannel()
  const shared = memory()
  const end = (side, port) =>
    new Worker(new URL('end.mjs', import.meta.url), {
      workerData: { way, side, memory: shared, port, counts },
      transferList: [port],
    })
  const workers = [end('push', port1), end('pop', port2)]
  let millis = 0
  for (const count of counts) {
    const answers = workers.map(answer)
    for (const worker of workers) worker.postMessage('go')
    const [, popped] = await Promise.all(answers)
    let expected = 0
    for (let id = 0; id < count; id++) expected += id & 1023
    if (popped.sum !== expected) throw new Error(`${way}: a sum of ${popped.sum} instead of ${expected}`)
    millis = popped.millis
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  return counts[1] / millis / 1_000
}

// One ring and one pair of callbacks for all rounds: with others, the engine no longer knows which accessors they call.
const own = new RingBuffer(Record, CAPACITY)
let [next, sum] = [0, 0]
const write = (slots) => {
  for (let i = 0; i < 256; i++) {
    const id = next + i
    slots.id(i, id)
    slots.price(i, 100.5)
    slots.size(i, id & 1023)
    slots.side(i, id & 1)
    slots.time(i, 5)
  }
  next += 256
  return 256
}
const read = (batch) => {
  // As in ends.mjs.
  let part = 0
  const { length } = batch
  for (let i = 0; i < length; i++) part += batch.size(i)
  sum += part
}

/** ns a record on one thread: filled in place, drained in place. */
function sameThread() {
  let nanos = 0
  for (let round = 0; round < 8; round++) {
    const begin = performance.now()
    for (let i = 0; i < 4_000; i++) {
      own.fill(256, write)
      own.drain(read, 256)
    }
    nanos = ((performance.now() - begin) * 1e6) / (4_000 * 256)
  }
  if (sum === 0) throw new Error('nothing was read')
  return nanos
}

const names = Object.keys(ways)
const figures = new Map([...names, 'same thread'].map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (let i = 0; i < names.length; i++) {
    const way = names[(i + round) % names.length]
    figures.get(way).push(await trial(way))
  }
  figures.get('same thread').push(sameThread())
}
for (const [name, values] of figures) {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, mid, high] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((v) => v.toFixed(2))
  console.log(`| ${name} | ${mid} (${low} – ${high}) ${name === 'same thread' ? 'ns a record' : ''} |`)
}
