// A ring, an expression and a map, without a file.
import { i64, pipeline, poisson, RingBuffer, record, text } from 'velox-engine'

const ring = new RingBuffer(text(16), 8)
ring.push('hello')

const Value = record('Value', { price: i64, doubled: i64 })
const values = await pipeline('small')
  .from(poisson({ perSecond: 1e6, count: 500, pace: 'max' }))
  .trades()
  .map(Value, (t) => ({ price: t.price, doubled: t.price.mul(2) }))
  .filter((v) => v.doubled.gt(0))
  .toArray()
const isDouble = values.every(({ price, doubled }) => doubled === 2 * price)
console.log(ring.pop(), values.length, isDouble)
