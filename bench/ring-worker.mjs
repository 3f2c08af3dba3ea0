// The filter of large-stage.mjs as a worker of its own, between two rings.
import { workerData } from 'node:worker_threads'
import { RingBuffer, Trade } from 'velox-engine'

const input = RingBuffer.attach(Trade, workerData.input)
const output = RingBuffer.attach(Trade, workerData.output)
const sleep = new Int32Array(new SharedArrayBuffer(4))
const read = (batch) => {
  const { length } = batch
  for (let i = 0; i < length; i++) {
    if (batch.qty(i) < workerData.least) continue
    const trade = batch.at(i)
    while (!output.push(trade)) Atomics.wait(sleep, 0, 0, 0.05)
  }
}
for (let seen = 0; seen < workerData.records; ) {
  const drained = input.drain(read, 256)
  if (drained === 0) Atomics.wait(sleep, 0, 0, 0.05)
  seen += drained
}
output.close()
