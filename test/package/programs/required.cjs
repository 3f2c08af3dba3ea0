const { RingBuffer, u32, VeloxError } = require('velox-engine')

const ring = new RingBuffer(u32, 2)
ring.push(1)
ring.push(2)
try {
  new RingBuffer(u32, 3)
} catch (error) {
  console.log(ring.pop(), ring.pop(), error instanceof VeloxError && error.code)
}
