// Each way of passing records between two workers, as its two ends: `push(count)` until so many are on their way, `pop(count)`
// until so many have come, and `pop` gives the sum of their sizes.
import { RingBuffer as RingbufJs } from 'ringbuf.js'
import { f64, RingBuffer, record, u32, u64 } from 'velox-engine'

/** 32 bytes, as a transaction has. */
export const Record = record('Record', { id: u64, price: f64, size: u32, side: u32, time: f64 })
export const CAPACITY = 4096
const BATCH = 256
/** The same as four doubles, which is how ringbuf.js would carry it. */
const DOUBLES = 4

const make = (id) => ({ id, price: 100.5, size: id & 1023, side: id & 1, time: 5 })

/** How often this end found nothing to do. */
export const waits = { count: 0 }

/** No end gives its core away, as each has one. */
const pause = () => {
  waits.count++
}

const velox = {
  memory: () => new RingBuffer(Record, CAPACITY).share(),
  attach: (memory) => RingBuffer.attach(Record, memory),
}

const ringbuf = {
  memory: () => RingbufJs.getStorageForCapacity(CAPACITY * DOUBLES, Float64Array),
  attach: (memory) => new RingbufJs(memory, Float64Array),
}

export const ways = {
  'velox fill/drain 256': {
    ...velox,
    push(ring, count) {
      let next = 0
      const write = (slots) => {
        const most = Math.min(slots.room, count - next)
        for (let i = 0; i < most; i++) {
          const id = next + i
          slots.id(i, id)
          slots.price(i, 100.5)
          slots.size(i, id & 1023)
          slots.side(i, id & 1)
          slots.time(i, 5)
        }
        return most
      }
      while (next < count) {
        const filled = ring.fill(BATCH, write)
        next += filled
        if (filled === 0) pause()
      }
    },
    pop(ring, count) {
      let [seen, sum] = [0, 0]
      const read = (batch) => {
        // A variable of its own: one that a closure holds is memory, and a new object once it outgrows 31 bits.
        let part = 0
        const { length } = batch
        for (let i = 0; i < length; i++) part += batch.size(i)
        sum += part
      }
      while (seen < count) {
        const drained = ring.drain(read, BATCH)
        seen += drained
        if (drained === 0) pause()
      }
      return sum
    },
  },
  'ringbuf.js 256': {
    ...ringbuf,
    push(ring, count) {
      const batch = new Float64Array(BATCH * DOUBLES)
      for (let next = 0; next < count; ) {
        const most = Math.min(BATCH, count - next)
        for (let i = 0, at = 0; i < most; i++, at += DOUBLES) {
          const id = next + i
          batch[at] = id
          batch[at + 1] = 100.5
          batch[at + 2] = id & 1023
          batch[at + 3] = 5
        }
        next += most
        // A whole array is what `push` copies at once.
        for (let sent = most === BATCH ? ring.push(batch) : 0; sent < most * DOUBLES; ) {
          sent += ring.push(batch.subarray(sent, most * DOUBLES))
        }
      }
    },
    pop(ring, count) {
      const batch = new Float64Array(BATCH * DOUBLES)
      let [seen, sum] = [0, 0]
      while (seen < count * DOUBLES) {
        const read = ring.pop(batch)
        // Both ends move whole records, as the capacity is some; the third double of each is its size.
        for (let i = 2; i < read; i += DOUBLES) sum += batch[i]
        seen += read
      }
      return sum
    },
  },
  'ringbuf.js 256, written in place': {
    ...ringbuf,
    push(ring, count) {
      let next = 0
      // Two pieces, and a record may lie across both: the storage has one double more than the capacity.
      const write = (storage, at, first, _, second) => {
        const end = at + first
        const most = Math.min(Math.floor((first + second) / DOUBLES), count - next)
        for (let i = 0; i < most; i++, at += DOUBLES) {
          const id = next + i
          if (at >= end) at -= end
          if (at + DOUBLES <= storage.length) {
            storage[at] = id
            storage[at + 1] = 100.5
            storage[at + 2] = id & 1023
            storage[at + 3] = 5
          } else {
            storage[at] = id
            storage[(at + 1) % storage.length] = 100.5
            storage[(at + 2) % storage.length] = id & 1023
            storage[(at + 3) % storage.length] = 5
          }
        }
        next += most
        return most * DOUBLES
      }
      while (next < count) if (ring.available_write() >= DOUBLES) ring.writeCallbackWithOffset(BATCH * DOUBLES, write)
    },
    pop: (ring, count) => ways['ringbuf.js 256'].pop(ring, count),
  },
  'postMessage of 256 objects': {
    memory: () => undefined,
    push(_, count, port) {
      for (let next = 0; next < count; next += BATCH) {
        port.postMessage(Array.from({ length: Math.min(BATCH, count - next) }, (_, i) => make(next + i)))
      }
    },
    pop(_, count, port) {
      let [seen, sum] = [0, 0]
      return new Promise((resolve) => {
        port.on('message', (batch) => {
          for (const { size } of batch) sum += size
          seen += batch.length
          if (seen === count) resolve(sum)
        })
      })
    },
    fewer: 10,
  },
  'velox push/pop of an object': {
    ...velox,
    push(ring, count) {
      for (let id = 0; id < count; ) if (ring.push(make(id))) id++
    },
    pop(ring, count) {
      let sum = 0
      for (let seen = 0; seen < count; ) {
        const next = ring.pop()
        if (next === undefined) continue
        sum += next.size
        seen++
      }
      return sum
    },
  },
  'ringbuf.js 1': {
    ...ringbuf,
    push(ring, count) {
      const one = new Float64Array(DOUBLES)
      for (let id = 0; id < count; id++) {
        one[0] = id
        one[1] = 100.5
        one[2] = id & 1023
        one[3] = 5
        while (ring.available_write() < DOUBLES) pause()
        ring.push(one)
      }
    },
    pop(ring, count) {
      const one = new Float64Array(DOUBLES)
      let sum = 0
      for (let seen = 0; seen < count; seen++) {
        while (ring.available_read() < DOUBLES) pause()
        ring.pop(one)
        sum += one[2]
      }
      return sum
    },
  },
}
