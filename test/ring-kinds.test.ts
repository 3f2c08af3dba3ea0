// The rings of several producers or consumers, between JavaScript ends.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { BroadcastRing, LatestRing, MpscRing, nanos, RingBuffer, record, u32, u64 } from 'velox-engine'
import { expect, test } from 'vitest'
import { HEAD_CELL, SLOTS_AT, TAIL_CELL } from '../dist/ring/layout.js'
import { STARTS, started } from './support/cursors.js'
import { expectCode } from './support/errors.js'

/** Runs code in a worker where `ring` is attached, `who` numbers the worker, and `answer` says what came of it. */
function inWorker(kind: string, ring: { share(): object }, who: number, body: string): Promise<unknown> {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    import('velox-engine').then((velox) => {
      const { who } = workerData
      const ring = velox.${kind}.attach(velox.record('Stamped', { id: velox.u32, copy: velox.u64 }), workerData.ring)
      const answer = (value) => parentPort.postMessage(value)
      ${body}
    })`
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: { ring: ring.share(), who } })
    worker.on('message', resolve)
    worker.on('error', reject)
  })
}

const Stamped = record('Stamped', { id: u32, copy: u64 })

test('each consumer of a broadcast has a queue of its own, and the slowest gates', () => {
  const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(10)), { maxLength: 150, size: 'max' })
  fc.assert(
    fc.property(fc.constantFrom(...STARTS), steps, (start, steps) => {
      const first = started(new BroadcastRing(u32, 8, 2), start)
      const rings = [first, BroadcastRing.attach(u32, first.share())]
      const models: number[][] = [[], []]
      expect(rings.map((ring) => ring.length)).toEqual([0, 0])
      let next = 0
      for (const [step, size] of steps) {
        const room = 8 - Math.max(...models.map((model) => model.length))
        const which = size % 2
        const [ring, model] = [rings[which] as typeof first, models[which] as number[]]
        if (step === 0) {
          expect(first.push(next)).toBe(room > 0)
          if (room > 0) for (const model of models) model.push(next)
        } else if (step === 1) {
          const values = Array.from({ length: size }, (_, i) => next + i)
          expect(first.pushMany(values)).toBe(Math.min(size, room))
          for (const model of models) model.push(...values.slice(0, room))
        } else if (step === 2) expect(ring.pop()).toBe(model.shift())
        else if (step === 3) expect(ring.popMany(size)).toEqual(model.splice(0, size))
        else {
          let got: number[] = []
          ring.drain((batch) => {
            got = batch.toArray()
          }, size)
          expect(got).toEqual(model.splice(0, size))
        }
        next += 100
        expect(rings.map((ring) => ring.length)).toEqual(models.map((model) => model.length))
      }
    }),
  )
})

test('a consumer that leaves holds nobody up, one that releases its seat does', () => {
  const ring = new BroadcastRing(u32, 2, 2)
  const other = BroadcastRing.attach(u32, ring.share())
  ring.pushMany([1, 2])
  expect([other.pop(), ring.pop(), ring.pop(), ring.push(3), ring.push(4)]).toEqual([1, 1, 2, true, false])
  const third = BroadcastRing.attach(u32, ring.share())
  expectCode(() => third.pop(), 'VELOX_RING_OWNED', 'another handle in each of its 2 seats')
  other.release()
  expect([third.pop(), ring.push(4)]).toEqual([2, true])
  expect(ring.push(5)).toBe(false)
  expect(ring.popMany(9)).toEqual([3, 4])
  third.drain(() => expectCode(() => third.leave(), 'VELOX_RING_OWNED', 'under way'), 1)
  third.leave()
  third.leave()
  expectCode(() => third.pop(), 'VELOX_INVALID_VALUE', 'one that has left')
  expect(third.length).toBe(0)
  expect([ring.push(5), ring.push(6), ring.push(7)]).toEqual([true, true, false])
  ring.close()
  expectCode(() => ring.push(8), 'VELOX_RING_CLOSED')
  expect(ring.popMany(9)).toEqual([5, 6])
})

test('an mpsc ring does what an array does', () => {
  const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(12)), { maxLength: 150, size: 'max' })
  fc.assert(
    fc.property(fc.constantFrom(...STARTS), steps, (start, steps) => {
      const ring = started(new MpscRing(u32, 8), start)
      const other = MpscRing.attach(u32, ring.share())
      const model: number[] = []
      let next = 0
      for (const [step, size] of steps) {
        if (step < 2) {
          expect((step === 0 ? ring : other).push(next)).toBe(model.length < 8)
          if (model.length < 8) model.push(next)
        } else if (step === 2) {
          const values = Array.from({ length: size }, (_, i) => next + i)
          const fits = Math.min(size, 8 - model.length)
          expect(other.pushMany(values)).toBe(fits)
          model.push(...values.slice(0, fits))
        } else if (step === 3) expect(ring.pop()).toBe(model.shift())
        else expect(ring.popMany(size)).toEqual(model.splice(0, size))
        next += 100
        expect([ring.length, ring.isEmpty]).toEqual([model.length, model.length === 0])
      }
    }),
  )
})

test('a record that is refused holds no slot of an mpsc ring', () => {
  const ring = new MpscRing(u32, 4)
  expectCode(() => ring.pushMany([1, -1, 2]), 'VELOX_INVALID_VALUE')
  const evil = {
    get id() {
      return inner.push({ id: 1, copy: 1 }) ? 1 : 0
    },
    copy: 1,
  }
  const inner = new MpscRing(Stamped, 4)
  expectCode(() => inner.push(evil), 'VELOX_RING_OWNED', 'under way')
  expect([ring.push(7), ring.pop(), ring.pop(), inner.length]).toEqual([true, 7, undefined, 0])
  ring.close()
  expectCode(() => ring.push(8), 'VELOX_RING_CLOSED')
})

test('a latest ring keeps the latest and counts what was missed', () => {
  const steps = fc.array(fc.tuple(fc.nat(1), fc.nat(20)), { maxLength: 100, size: 'max' })
  fc.assert(
    fc.property(fc.constantFrom(...STARTS), steps, (start, steps) => {
      const ring = started(new LatestRing(Stamped, 8), start)
      let [pushed, read, missed] = [0, 0, 0]
      const push = () => ring.push({ id: pushed, copy: pushed++ })
      const reader = start === 0 ? ring : joined(ring, push)
      read = pushed
      for (const [step, size] of steps) {
        for (let n = 0; step === 0 && n < size; n++) push()
        if (step === 0) continue
        const lost = Math.max(0, pushed - read - 8)
        const expected = pushed > read ? { id: read + lost, copy: read + lost } : undefined
        if (expected) missed += lost
        expect([reader.pop(), reader.missed]).toEqual([expected, missed])
        if (expected) read += lost + 1
      }
      const late = LatestRing.attach(Stamped, ring.share())
      expect([late.pop()?.id, late.missed]).toEqual([pushed > 0 ? Math.max(0, pushed - 8) : undefined, 0])
    }),
  )
})

test.each([2 ** 30, 2 ** 30 + 5, 2 ** 31 - 3, 2 ** 31 + 1_000, 2 ** 32 - 100])(
  'a reader of the latest that looks away for %i records sees the oldest there is',
  (pushes) => {
    const ring = new LatestRing(Stamped, 8)
    const reader = LatestRing.attach(Stamped, ring.share())
    ring.push({ id: 0, copy: 0 })
    expect(reader.pop()?.id).toBe(0)
    // As if so many had been pushed since.
    started(ring, pushes)
    const writer = LatestRing.attach(Stamped, ring.share())
    ring.release()
    for (let id = 0; id < 9; id++) writer.push({ id, copy: id })
    expect([reader.pop()?.id, reader.missed]).toEqual([1, pushes])
    for (let id = 2; id < 9; id++) expect(reader.pop()?.id).toBe(id)
    expect([reader.pop(), reader.missed]).toEqual([undefined, pushes])
  },
)

/** A reader of a ring that is filled once, after it has read that. */
function joined(ring: LatestRing<typeof Stamped>, push: (id: number) => void): LatestRing<typeof Stamped> {
  for (let id = 0; id < ring.capacity; id++) push(id)
  const reader = LatestRing.attach(Stamped, ring.share())
  for (let id = 0; id < ring.capacity; id++) expect(reader.pop()?.id).toBe(id)
  return reader
}

test('rings of one kind don’t attach as another', () => {
  const rings = [
    new RingBuffer(u32, 4),
    new BroadcastRing(u32, 4, 1),
    new MpscRing(u32, 4),
    new LatestRing(u32, 4),
  ] as const
  const kinds = [RingBuffer, BroadcastRing, MpscRing, LatestRing] as const
  for (const [i, ring] of rings.entries()) {
    for (const [k, kind] of kinds.entries()) {
      if (i === k) expect(kind.attach(u32, ring.share()).capacity).toBe(4)
      else expectCode(() => kind.attach(u32, ring.share()), 'VELOX_RING_MISMATCH', `a ${kind.name}, got a `)
    }
    expectCode(() => kinds[i]?.attach(nanos, ring.share() as never), 'VELOX_RING_MISMATCH')
  }
  for (const consumers of [0, 65, 1.5]) expectCode(() => new BroadcastRing(u32, 4, consumers), 'VELOX_INVALID_VALUE')
})

test('memory that was written over is an error and no endless loop', () => {
  const broadcast = new BroadcastRing(u32, 4, 1)
  const latest = new LatestRing(u32, 4)
  const cellsOf = (ring: { share(): object }) => new Int32Array((ring.share() as { buffer: SharedArrayBuffer }).buffer)
  broadcast.push(1)
  cellsOf(broadcast)[TAIL_CELL] = 0x1234_5678
  expectCode(() => broadcast.pop(), 'VELOX_RING_CORRUPT')
  latest.push(1)
  cellsOf(latest).fill(0x1234_5678, SLOTS_AT / 4)
  expectCode(() => latest.pop(), 'VELOX_RING_CORRUPT')
})

test.each([
  ['the tail', TAIL_CELL, 0x1234_5678],
  ['the tail, a little', TAIL_CELL, 20],
  ['the head', HEAD_CELL, 0x1234_5678],
  ['the head, a little', HEAD_CELL, -1],
])('an mpsc ring whose cursor was written over is an error to both ends: %s', (_, cell, word) => {
  const ring = new MpscRing(u32, 4)
  ring.pushMany([1, 2, 3, 4])
  const cells = new Int32Array((ring.share() as unknown as { buffer: SharedArrayBuffer }).buffer)
  expect(ring.pop()).toBe(1)
  cells[cell] = word
  expectCode(() => ring.push(5), 'VELOX_RING_CORRUPT', 'at most 4 records')
  expectCode(() => ring.pushMany([5, 6]), 'VELOX_RING_CORRUPT')
  const other = MpscRing.attach(u32, ring.share())
  ring.release()
  if (cell === HEAD_CELL) expectCode(() => other.pop(), 'VELOX_RING_CORRUPT')
  // The records that are stamped are whole, whatever the producers' cursor says.
  else {
    expect(other.popMany(9)).toEqual([2, 3, 4])
    expectCode(() => other.pop(), 'VELOX_RING_CORRUPT')
  }
})

test('an mpsc ring whose stamps were written over is an error, and no wait without an end', () => {
  const ring = new MpscRing(u32, 4)
  const cells = new Int32Array((ring.share() as unknown as { buffer: SharedArrayBuffer }).buffer)
  expect([ring.pushMany([1, 2]), ring.pop(), ring.pop(), ring.pop()]).toEqual([2, 1, 2, undefined])
  cells.fill(0x1234_5678, SLOTS_AT / 4, SLOTS_AT / 4 + 4)
  expectCode(() => ring.pop(), 'VELOX_RING_CORRUPT', 'a free slot')
})

test('two workers push into one ring, and each one’s records come in order', async () => {
  const count = 50_000
  const ring = started(new MpscRing(Stamped, 256), 2 ** 31 - count)
  const body = `
    const batch = []
    for (let n = 0; n < ${count}; ) {
      if (n % 3 === 0) { if (ring.push({ id: n, copy: who })) n++ }
      else {
        const values = Array.from({ length: Math.min(20, ${count} - n) }, (_, i) => ({ id: n + i, copy: who }))
        n += ring.pushMany(values)
      }
    }
    answer('done')`
  const ended = [0, 1].map((who) => inWorker('MpscRing', ring, who, body))
  const expected: [number, number] = [0, 0]
  while (expected[0] !== count || expected[1] !== count) {
    const drained = ring.drain((batch) => {
      for (let i = 0; i < batch.length; i++) {
        const who = batch.copy(i) as 0 | 1
        if (batch.id(i) !== expected[who]++) throw new Error(`${batch.id(i)} of ${who}`)
      }
    })
    if (drained === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await Promise.all(ended)).toEqual(['done', 'done'])
})

test('two workers see every record of a broadcast', async () => {
  const count = 50_000
  const ring = started(new BroadcastRing(Stamped, 256, 2), 2 ** 32 - count / 2)
  const body = `
    let next = 0
    while (next < ${count}) ring.drain((batch) => {
      for (let i = 0; i < batch.length; i++) if (batch.id(i) !== next++) throw new Error('out of order')
    }, 10 + 40 * who)
    answer(next)`
  const ended = [0, 1].map((who) => inWorker('BroadcastRing', ring, who, body))
  for (let n = 0; n < count; ) {
    const filled = ring.fill(Math.min(100, count - n), (w) => {
      const { room } = w
      for (let i = 0; i < room; i++) w.id(i, n + i)
      return room
    })
    n += filled
    if (filled === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await Promise.all(ended)).toEqual([count, count])
})

test('a reader that a worker laps gets whole records and the right count', async () => {
  const count = 200_000
  const shared = started(new LatestRing(Stamped, 16), 2 ** 31 - count / 2)
  const ring = joined(shared, (id) => shared.push({ id, copy: id }))
  shared.release()
  const ended = inWorker(
    'LatestRing',
    ring,
    0,
    `for (let n = 0; n < ${count}; n++) ring.push({ id: n, copy: n }); answer('done')`,
  )
  let [next, isDone] = [0, false]
  void ended.then(() => {
    isDone = true
  })
  for (let i = 0; next < count; i++) {
    const missed = ring.missed
    const got = ring.pop()
    if (got) {
      next += ring.missed - missed
      if (got.id !== next || got.copy !== next) throw new Error(`${got.id}, ${got.copy} instead of ${next}`)
      next++
    } else if (isDone) break
    if (!got || i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
  expect(next).toBe(count)
})
