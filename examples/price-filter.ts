// Section 3 of the founding document: a custom stage between two rings, fused in the native loop.
import { clock, pipeline, RingBuffer, Transaction } from 'velox-engine'
import priceFilter from './price-filter-stage.js'

const input = new RingBuffer(Transaction, 4096)
const output = new RingBuffer(Transaction, 4096)
const run = await pipeline('custom').from(input).stage(priceFilter, { name: 'price filter' }).to(output).start()

for (let id = 0; id < 1000; id++) {
  const price = 900_000 + id * 500 // from $90 to $140
  input.push({ id, price, size: 100, side: 'bid', instrument: 0, ingressTsNs: clock.now() })
}
input.close()

const { stages } = await run.done()
const { in: processed, consumed: passed, filtered } = stages[1] as (typeof stages)[number]
console.log(`Stage Stats - Processed: ${processed}, Passed: ${passed}, Filtered: ${filtered}`)
console.log(`Total received: ${output.popMany(4096).length}`)
