import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { array, Bundle, bytes, nanos, RingBuffer, record, side, text, u8, u32, u64 } from 'velox-engine'
import { expect, test } from 'vitest'
import { HEAD_CELL, SLOTS_AT, TAIL_CELL } from '../dist/ring/layout.js'
import { internals } from '../dist/ring/ring-buffer.js'
import { STARTS, started } from './support/cursors.js'
import { expectCode } from './support/errors.js'
import { script } from './support/node.js'

const Tick = record('Tick', { id: u32, side, when: nanos, name: text(8) })
const tick = (id: number) => ({ id, side: 'bid', when: 5_000n, name: 'x' }) as const

const bufferOf = (ring: object) => internals(ring as never).buffer

test('a ring does what an array does', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const) }),
    fc.record({ kind: fc.constant('pop' as const) }),
    fc.record({ kind: fc.constant('pushMany' as const), size: fc.nat(12) }),
    fc.record({ kind: fc.constant('popMany' as const), size: fc.nat(12) }),
    fc.record({ kind: fc.constant('drain' as const), size: fc.nat(12) }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...STARTS), fc.array(step, { maxLength: 200, size: 'max' }), (start, steps) => {
      const ring = started(new RingBuffer(u32, 8), start)
      const model: number[] = []
      let next = 0
      for (const step of steps) {
        if (step.kind === 'push') {
          expect(ring.push(next)).toBe(model.length < 8)
          if (model.length < 8) model.push(next)
        } else if (step.kind === 'pop') {
          expect(ring.pop()).toBe(model.shift())
        } else if (step.kind === 'pushMany') {
          const values = Array.from({ length: step.size }, (_, i) => next + i)
          const fits = Math.min(step.size, 8 - model.length)
          expect(ring.pushMany(values)).toBe(fits)
          model.push(...values.slice(0, fits))
        } else if (step.kind === 'popMany') {
          expect(ring.popMany(step.size)).toEqual(model.splice(0, step.size))
        } else {
          const expected = model.splice(0, step.size)
          let got: number[] = []
          const read = ring.drain((batch) => {
            got = batch.toArray()
          }, step.size)
          expect([read, got]).toEqual([expected.length, expected])
        }
        next += 100
        expect([ring.length, ring.isEmpty, ring.isFull]).toEqual([model.length, model.length === 0, model.length === 8])
      }
    }),
  )
})

test('capacities that are no power of two from 2 to 2^30 are refused', () => {
  for (const capacity of [0, 1, 3, 1000, -4, 2.5, 2 ** 31, Number.NaN, '8' as never, undefined as never]) {
    expectCode(() => new RingBuffer(u32, capacity), 'VELOX_INVALID_CAPACITY', 'power of two')
  }
  expectCode(() => new RingBuffer(text(65_533), 2 ** 30), 'VELOX_INVALID_CAPACITY')
  // 20 GB: some runtimes have the memory, but no array of so many elements.
  let code = 'VELOX_INVALID_CAPACITY'
  try {
    new RingBuffer(text(64), 2 ** 28)
  } catch (error) {
    code = (error as { code: string }).code
  }
  expect(code).toBe('VELOX_INVALID_CAPACITY')
})

test('one refused value among many pushes none of them', () => {
  const ring = new RingBuffer(u8, 8)
  expectCode(() => ring.pushMany([1, 2, 300]), 'VELOX_INVALID_VALUE')
  expect(ring.length).toBe(0)
  expect(ring.pushMany([1, 2, 3], 1)).toBe(2)
  expect(ring.popMany(9)).toEqual([2, 3])
})

test('what is no list of values and no function is refused', () => {
  const ring = new RingBuffer(text(8), 8)
  for (const values of [{ length: 1.5 }, 5, {}, 'abc', null, undefined, { length: 'x' }]) {
    expectCode(() => ring.pushMany(values as never), 'VELOX_INVALID_VALUE', 'an array')
  }
  expectCode(() => ring.drain(undefined as never), 'VELOX_INVALID_VALUE', 'a function')
  expect(() => {
    ;(ring as { capacity: number }).capacity = 1000
  }).toThrow(TypeError)
  expect([ring.length, ring.capacity]).toEqual([0, 8])
})

test('a batch reads fields in place, inside its callback only', () => {
  const ring = new RingBuffer(Tick, 4)
  ring.pushMany([tick(1), tick(2), tick(3)])
  ring.popMany(2)
  ring.pushMany([tick(4), tick(5)])
  let kept: { id(i: number): number } | undefined
  const read = ring.drain((batch) => {
    kept = batch
    expect(batch.length).toBe(3)
    expect([batch.id(0), batch.id(1), batch.id(2)]).toEqual([3, 4, 5])
    expect([batch.when(1), batch.side(2), batch.name(0)]).toEqual([5_000n, 'bid', 'x'])
    expectCode(() => batch.id(3), 'VELOX_INVALID_VALUE')
  })
  expect(read).toBe(3)
  expectCode(() => kept?.id(0), 'VELOX_STALE_BATCH')
})

test('a nanos field also reads as microseconds', () => {
  const ring = new RingBuffer(record('T', { time: nanos }), 2)
  ring.push({ time: 1_722_000_000_123_456_789n })
  ring.drain((batch) => expect(batch.time.micros(0)).toBeCloseTo(1_722_000_000_123_456.8, 0))
})

test('a callback that throws consumes nothing', () => {
  const ring = new RingBuffer(u32, 4)
  ring.pushMany([1, 2])
  expect(() =>
    ring.drain(() => {
      throw new Error('mine')
    }),
  ).toThrow('mine')
  expect(ring.popMany(4)).toEqual([1, 2])
})

test('a side belongs to one handle until it is released', () => {
  const ring = new RingBuffer(u32, 4)
  const other = RingBuffer.attach(u32, ring.share())
  ring.push(1)
  expectCode(() => other.push(2), 'VELOX_RING_OWNED', 'producer', 'handle')
  expect(other.pop()).toBe(1)
  expectCode(() => ring.pop(), 'VELOX_RING_OWNED', 'consumer')
  ring.release('producer')
  expect(other.push(2)).toBe(true)
  other.release()
  ring.push(3)
  expect(ring.popMany(4)).toEqual([2, 3])
  expectCode(() => ring.release('both' as never), 'VELOX_INVALID_VALUE')
})

test('a closed ring takes nothing and gives what it holds', () => {
  const ring = new RingBuffer(u32, 4)
  ring.push(1)
  ring.close()
  expect(ring.isClosed).toBe(true)
  expectCode(() => ring.push(2), 'VELOX_RING_CLOSED')
  expect([ring.pop(), ring.pop()]).toEqual([1, undefined])
})

test('a ring attaches as its own type only', () => {
  const ring = new RingBuffer(Tick, 4)
  const same = record('Tick', { id: u32, side, when: nanos, name: text(8) })
  expect(RingBuffer.attach(same, ring.share() as never).capacity).toBe(4)
  expectCode(() => RingBuffer.attach(u32, ring.share() as never), 'VELOX_RING_MISMATCH')
  const longer = record('Tick', { id: u32, side, when: nanos, name: text(9) })
  expectCode(() => RingBuffer.attach(longer, ring.share() as never), 'VELOX_RING_MISMATCH')
  expectCode(() => RingBuffer.attach(u32, {} as never), 'VELOX_INVALID_VALUE')
  const forged = { ...ring.share(), buffer: new SharedArrayBuffer(4096) }
  expectCode(() => RingBuffer.attach(Tick, forged as never), 'VELOX_RING_MISMATCH')
})

test('code that runs inside a call of the ring can not use that side of it', () => {
  const ring = new RingBuffer(Tick, 4)
  ring.pushMany([tick(1), tick(2)])
  for (const inner of [() => ring.pop(), () => ring.drain(() => {}), () => ring.release(), () => ring.popMany(1)]) {
    expectCode(() => ring.drain(inner), 'VELOX_RING_OWNED', 'under way')
  }
  const evil = {
    ...tick(3),
    get id() {
      return ring.push(tick(9)) ? 3 : 0
    },
  }
  expectCode(() => ring.push(evil), 'VELOX_RING_OWNED', 'under way')
  expect(ring.drain((batch) => expect(ring.push(tick(batch.id(0) + 2))).toBe(true))).toBe(2)
  expect(ring.popMany(4).map(({ id }) => id)).toEqual([3])
})

test('a field may have any name that a batch leaves free', () => {
  const ring = new RingBuffer(record('Odd', { during: u32, constructor: u8 }), 2)
  ring.push({ during: 7, constructor: 1 })
  expect(ring.drain((batch) => expect([batch.during(0), batch.constructor(0)]).toEqual([7, 1]))).toBe(1)
})

test('words that are no record are an error and stay until they are skipped', () => {
  const ring = new RingBuffer(Bundle, 4)
  ring.push({ transactions: [], count: 0, createdTsNs: 1n })
  ring.push({ transactions: [], count: 0, createdTsNs: 2n })
  new DataView(bufferOf(ring)).setUint32(SLOTS_AT + 528 + 512, 17, true)
  expect(ring.popMany(4)).toHaveLength(1)
  expectCode(() => ring.popMany(4), 'VELOX_RECORD_INVALID', 'Bundle.count', '17')
  expectCode(() => ring.pop(), 'VELOX_RECORD_INVALID')
  expect(ring.drain(() => {}, 1)).toBe(1)
  expect(ring.isEmpty).toBe(true)
})

test('a cursor out of range is an error', () => {
  const ring = new RingBuffer(u64, 4)
  ring.push(1)
  Atomics.store(new Int32Array(bufferOf(ring)), 16, 1_000)
  expectCode(() => ring.pop(), 'VELOX_RING_CORRUPT', 'at most 4 records')
  expectCode(() => ring.pop(), 'VELOX_RING_CORRUPT', 'at most 4 records')
  Atomics.store(new Int32Array(bufferOf(ring)), 16, 1)
  expect(ring.pop()).toBe(1)
})

test('slots are filled in place, and as many are published as the callback says', () => {
  const ring = new RingBuffer(Tick, 4)
  ring.pushMany([tick(1), tick(2), tick(3)])
  ring.popMany(3)
  let kept: { push(t: ReturnType<typeof tick>): boolean; readonly room: number } | undefined
  const filled = ring.fill(3, (w) => {
    kept = w
    expect([w.room, w.push(tick(4))]).toEqual([3, true])
    w.id(1, 5)
    w.side(1, 'ask')
    w.name(1, 'y')
    w.when(1, 7n)
    expect(w.room, 'of whole slots').toBe(2)
    expectCode(() => w.id(3, 1), 'VELOX_INVALID_VALUE')
    return 2
  })
  expect([filled, ring.popMany(9)]).toEqual([2, [tick(4), { id: 5, side: 'ask', name: 'y', when: 7n }]])
  expectCode(() => kept?.push(tick(1)), 'VELOX_STALE_BATCH')
})

test('a fill that throws or says what can not be publishes nothing', () => {
  const ring = new RingBuffer(u32, 4)
  const fails = () => {
    throw new Error('mine')
  }
  expect(() => ring.fill(4, fails)).toThrow('mine')
  for (const count of [5, -1, 1.5, undefined])
    expectCode(() => ring.fill(4, () => count as number), 'VELOX_INVALID_VALUE')
  expectCode(() => ring.fill(4, () => (ring.push(1) ? 1 : 0)), 'VELOX_RING_OWNED', 'under way')
  expectCode(() => ring.fill(4, undefined as never), 'VELOX_INVALID_VALUE')
  expect([ring.length, ring.fill(0, fails)]).toEqual([0, 0])
  ring.pushMany([1, 2, 3, 4])
  expect(ring.fill(4, fails), 'a full ring has no slots').toBe(0)
  ring.close()
  expectCode(() => ring.fill(4, () => 0), 'VELOX_RING_CLOSED')
})

test('bytes and arrays pass, also of records, and are copies', () => {
  const Level = record('Level', { price: u32, side: u8 })
  const Depth = record('Depth', { key: bytes(3), levels: array(Level, 2), flags: array(array(u8, 2), 2) })
  expect([Level.byteLength, Depth.byteLength]).toEqual([8, 24])
  const ring = new RingBuffer(Depth, 2)
  const depth = {
    key: new Uint8Array([1, 2, 3]),
    levels: [
      { price: 5, side: 0 },
      { price: 6, side: 1 },
    ],
    flags: [
      [1, 2],
      [3, 4],
    ],
  }
  ring.push(depth)
  ring.drain((batch) => expect([batch.levels(0), batch.key(0)]).toEqual([depth.levels, depth.key]), 0)
  const read = ring.pop()
  expect(read).toEqual(depth)
  depth.key[0] = 9
  expect(read?.key[0]).toBe(1)
  expectCode(() => ring.push({ ...depth, key: new Uint8Array(4) }), 'VELOX_INVALID_VALUE', '3 bytes')
  expectCode(() => ring.push({ ...depth, levels: [] }), 'VELOX_INVALID_VALUE', 'an array of 2')
  expectCode(
    () =>
      ring.push({
        ...depth,
        flags: [
          [1, 2],
          [3, 400],
        ],
      }),
    'VELOX_INVALID_VALUE',
  )
  for (const wrong of [0, -1, 1.5, 65_537]) {
    expectCode(() => bytes(wrong), 'VELOX_INVALID_VALUE')
    expectCode(() => array(u8, wrong), 'VELOX_INVALID_VALUE')
  }
  expectCode(() => array(undefined as never, 1), 'VELOX_INVALID_VALUE')
  const plain = new RingBuffer(array(u32, 2), 2)
  plain.push([1, 2])
  expect(plain.pop()).toEqual([1, 2])
})

test('a worker that waits is woken by a record and by the end, and waits no longer than it was told', async () => {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    import('velox-engine').then(({ RingBuffer, u32 }) => {
      const ring = RingBuffer.attach(u32, workerData)
      const got = []
      const read = (batch) => got.push(...batch.toArray())
      const begin = performance.now()
      const none = ring.drainWait(read, { timeoutMicros: 20_000 })
      const waited = performance.now() - begin
      parentPort.postMessage('waits')
      const one = ring.drainWait(read, { timeoutMicros: 60e6 })
      while (!ring.isClosed || !ring.isEmpty) ring.drainWait(read, { timeoutMicros: 60e6 })
      parentPort.postMessage({ none, waited, one, got })
    })`
  const ring = new RingBuffer(u32, 8)
  expectCode(() => ring.drainWait(() => {}, { timeoutMicros: 1 }), 'VELOX_INVALID_VALUE', 'a worker')
  expectCode(() => ring.drainWait(() => {}, { timeoutMicros: -1 }), 'VELOX_INVALID_VALUE')
  expectCode(() => ring.drainWait(() => {}, { timeoutMicros: 1, tiemout: 1 } as never), 'VELOX_UNKNOWN_OPTION')
  ring.release()
  const worker = new Worker(code, { eval: true, workerData: ring.share() })
  const messages: unknown[] = []
  const done = new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message) => {
      messages.push(message)
      if (message !== 'waits') return resolve(message)
      setTimeout(() => ring.push(1), 30)
      setTimeout(() => ring.push(2), 60)
      setTimeout(() => ring.close(), 90)
    })
  })
  const { none, waited, one, got } = (await done) as { none: number; waited: number; one: number; got: number[] }
  expect([none, one, got]).toEqual([0, 1, [1, 2]])
  expect(waited).toBeGreaterThan(15)
  await worker.terminate()
})

test('batches come as they are pushed, until the ring is closed and empty', async () => {
  const ring = new RingBuffer(u32, 8)
  const timer = setInterval(() => {
    if (ring.isClosed) return
    ring.pushMany([1, 2, 3])
    if (++rounds === 3) ring.close()
  }, 5)
  let rounds = 0
  const got: number[] = []
  let last: { length: number; at(i: number): number } | undefined
  for await (const batch of ring.batches({ max: 2 })) {
    expect(batch.length).toBeLessThanOrEqual(2)
    if (last)
      expectCode(
        () => (last === batch ? batch.at(9) : last?.at(0)),
        last === batch ? 'VELOX_INVALID_VALUE' : 'VELOX_STALE_BATCH',
      )
    got.push(...batch.toArray())
    last = batch
  }
  clearInterval(timer)
  expect(got).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
  expectCode(() => last?.at(0), 'VELOX_STALE_BATCH')
})

test('batches end at their signal, and a loop that is left has read its batch', async () => {
  const ring = new RingBuffer(u32, 8)
  ring.pushMany([1, 2, 3])
  for await (const batch of ring.batches({ max: 2 })) {
    expect(batch.toArray()).toEqual([1, 2])
    break
  }
  expect(ring.length).toBe(1)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 20)
  const got: number[] = []
  for await (const batch of ring.batches({ signal: controller.signal })) got.push(...batch.toArray())
  expect(got).toEqual([3])
  await expect(ring.batches({ max: 0 })[Symbol.asyncIterator]().next()).rejects.toThrow('1 or more')
})

test('while a batch is lent its handle reads nothing else, and nothing is lost or read twice', async () => {
  const ring = new RingBuffer(u32, 8)
  ring.pushMany([1, 2, 3, 4])
  const got: number[] = []
  for await (const batch of ring.batches({ max: 2 })) {
    for (const read of [() => ring.pop(), () => ring.popMany(1), () => ring.drain(() => {}), () => ring.release()]) {
      expectCode(read, 'VELOX_RING_OWNED', 'under way')
    }
    await expect(ring.batches()[Symbol.asyncIterator]().next()).rejects.toThrow('under way')
    got.push(...batch.toArray())
    if (got.length === 4) ring.close()
  }
  expect([got, ring.length, ring.pop()]).toEqual([[1, 2, 3, 4], 0, undefined])
})

test('a worker that ends, or fails, gives up its sides', async () => {
  const ring = new RingBuffer(u32, 8)
  const code = (end: string) => `
    const { workerData } = require('node:worker_threads')
    import('velox-engine').then(({ RingBuffer, u32 }) => {
      globalThis.ring = RingBuffer.attach(u32, workerData)
      globalThis.ring.push(7)
      ${end}
    })`
  for (const end of ['', 'process.exit()', "throw new Error('the end')"]) {
    const worker = new Worker(code(end), { eval: true, workerData: ring.share() })
    worker.on('error', () => {})
    await new Promise((resolve) => worker.on('exit', resolve))
    expect(ring.pop()).toBe(7)
  }
  expect(ring.push(8)).toBe(true)
})

test('ten million records are drained without garbage', async () => {
  // The ring is filled once; then its producer's cursor alone moves on.
  const { stdout, stderr } = await script(
    `
    import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
    import { setTimeout } from 'node:timers/promises'
    import { RingBuffer, Trade } from 'velox-engine'
    const SIZE = 1024
    const ring = new RingBuffer(Trade, SIZE)
    const trade = { id: 1, instrument: 1, side: 'ask', price: 5, qty: 3, exchangeTs: 7n, receiveTs: 7n }
    ring.pushMany(Array(SIZE).fill(trade))
    const cells = new Int32Array(ring.share().buffer)
    const again = () => Atomics.store(cells, ${TAIL_CELL}, cells[${HEAD_CELL}] + SIZE)
    let sum = 0
    const read = (batch) => {
      const { length } = batch
      for (let i = 0; i < length; i++) if (batch.side(i) === 'ask' && batch.id(i) === 1) sum += batch.qty(i) + batch.price(i)
    }
    const drain = (records) => {
      for (let drained = 0; drained < records; again()) while (!ring.isEmpty) drained += ring.drain(read, 256)
    }
    drain(2e6)
    const scavenges = []
    const observer = new PerformanceObserver((list) => {
      for (const { startTime, detail } of list.getEntries()) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) scavenges.push(startTime)
      }
    })
    observer.observe({ entryTypes: ['gc'] })
    gc()
    const [begin, heap, before] = [performance.now(), process.memoryUsage().heapUsed, sum]
    drain(1e7)
    const [end, grown] = [performance.now(), process.memoryUsage().heapUsed - heap]
    const records = (sum - before) / 8
    await setTimeout(50)
    console.log(JSON.stringify({ records, grown, scavenges: scavenges.filter((at) => at > begin && at < end).length }))`,
    '--expose-gc',
  )
  expect(stderr).toBe('')
  const { records, grown, scavenges } = JSON.parse(stdout)
  expect(records).toBeGreaterThanOrEqual(1e7)
  expect(scavenges).toBe(0)
  expect(grown).toBeLessThan(2 ** 20)
})

test('two workers pass records in order, in batches and one by one', async () => {
  const count = 200_000
  const side = (body: string) => `
    const { workerData, parentPort } = require('node:worker_threads')
    import('velox-engine').then(({ RingBuffer, u32 }) => {
      const ring = RingBuffer.attach(u32, workerData.ring)
      const { count } = workerData
      ${body}
    })`
  const producer = side(`
    let next = 0
    while (next < count) {
      if (next % 3 === 0) { if (ring.push(next)) next++ }
      else next += ring.pushMany(Array.from({ length: Math.min(50, count - next) }, (_, i) => next + i))
    }
    parentPort.postMessage(next)`)
  const consumer = side(`
    let expected = 0
    while (expected < count) {
      ring.drain((batch) => {
        for (const n of batch.toArray()) if (n !== expected++) throw new Error(n + ' instead of ' + (expected - 1))
      }, 64)
      const n = ring.pop()
      if (n !== undefined && n !== expected++) throw new Error(n + ' instead of ' + (expected - 1))
    }
    parentPort.postMessage(expected)`)
  const ring = started(new RingBuffer(u32, 1024), 2 ** 32 - count / 2)
  const ended = [producer, consumer].map(
    (code) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(code, { eval: true, workerData: { ring: ring.share(), count } })
        worker.on('message', resolve)
        worker.on('error', reject)
      }),
  )
  expect(await Promise.all(ended)).toEqual([count, count])
  expect(ring.isEmpty).toBe(true)
})
