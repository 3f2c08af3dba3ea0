// Section 1 of the founding document: market data from one thread, a spike detector on another, for a second.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { clock, f64, RingBuffer, record, type SharedRing, u32, u64 } from 'velox-engine'

const MarketData = record('MarketData', { symbol: u32, price: f64, volume: u64, timestamp: u64.big })
type Given = { role: 'receiver' | 'processor'; ring: SharedRing<typeof MarketData>; shutdown: SharedArrayBuffer }

function receive(ring: RingBuffer<typeof MarketData>, isOver: () => boolean): void {
  for (let seq = 0; !isOver(); seq++) {
    const data = { symbol: 1, price: 100 + seq * 0.01, volume: 1000, timestamp: BigInt(seq) }
    if (!ring.push(data)) console.error('Warning: Dropped market data (buffer full)')
    // An update every 10 µs: no timer of the event loop is that fine.
    for (const next = clock.nanos() + 10_000; clock.nanos() < next; );
  }
}

function detect(ring: RingBuffer<typeof MarketData>, isOver: () => boolean): void {
  let lastPrice = 0
  while (!isOver()) {
    ring.drain((batch) => {
      for (let i = 0; i < batch.length; i++) {
        const price = batch.price(i)
        if (price > lastPrice * 1.01) console.log(`Price spike detected: $${price.toFixed(2)}`)
        lastPrice = price
      }
    })
  }
}

if (isMainThread) {
  const ring = new RingBuffer(MarketData, 4096).share()
  const shutdown = new SharedArrayBuffer(4)
  const start = (role: Given['role']) =>
    new Worker(new URL(import.meta.url), { workerData: { role, ring, shutdown } satisfies Given })
  // The reader first: a worker takes longer to start than the ring takes to fill.
  await once(start('processor'), 'message')
  start('receiver')
  await sleep(1000)
  Atomics.store(new Int32Array(shutdown), 0, 1)
} else {
  const { role, ring, shutdown } = workerData as Given
  const attached = RingBuffer.attach(MarketData, ring)
  const flag = new Int32Array(shutdown)
  const work = role === 'receiver' ? receive : detect
  parentPort?.postMessage('ready')
  work(attached, () => Atomics.load(flag, 0) === 1)
}
