// Native → JavaScript by views: `node native.mjs [ROUNDS]`, M records of 32 bytes a second.
//
// A ring in front is filled by this script, a native thread moves it into the ring behind, of 4,096, and this script reads that by views.
// The clock runs from when the ring behind is full until the ring in front and it are empty: the native thread has its source
// ready at hand all the time.
import { pipeline, RingBuffer, Transaction } from 'velox-engine'

const ROUNDS = Number(process.argv[2] ?? 200)
const FRONT = 65_536
const BEHIND = 4_096
const BATCH = 256

const [front, behind] = [new RingBuffer(Transaction, FRONT), new RingBuffer(Transaction, BEHIND)]
const run = await pipeline('native').from(front).to(behind).start({ wait: 'spin' })

let id = 0
const write = (slots) => {
  const { room } = slots
  for (let i = 0; i < room; i++) {
    slots.id(i, id)
    slots.price(i, id & 0xffff)
    slots.size(i, id & 1023)
    slots.side(i, 'bid')
    slots.instrument(i, 1)
    slots.ingressTsNs(i, 1n)
    id++
  }
  return room
}
let sum = 0
const read = (batch) => {
  let part = 0
  const { length } = batch
  for (let i = 0; i < length; i++) part += batch.size(i)
  sum += part
}

const rates = []
for (let round = 0; round < ROUNDS; round++) {
  const first = id
  while (id - first < FRONT) front.fill(BATCH, write)
  while (!behind.isFull);
  let expected = 0
  for (let n = first; n < id; n++) expected += n & 1023
  sum = 0
  const begin = performance.now()
  let seen = 0
  while (seen < FRONT) seen += behind.drain(read, BATCH)
  rates.push(FRONT / (performance.now() - begin) / 1_000)
  if (sum !== expected) throw new Error(`a sum of ${sum} instead of ${expected}`)
}
front.close()
await run.done()
rates.sort((a, b) => a - b)
const [low, mid, high] = [0.25, 0.5, 0.75].map((q) => rates[Math.floor(q * (rates.length - 1))].toFixed(1))
console.log(`| native → JavaScript by views | ${mid} (${low} – ${high}) |`)
