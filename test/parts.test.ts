import {
  activeTransactions,
  Bundle,
  BundleBuilder,
  clock,
  initTsc,
  RingBuffer,
  rdtsc,
  StageMetrics,
  tscToNs,
} from 'velox-engine'
import { expect, test, vi } from 'vitest'
import { expectCode } from './support/errors.js'
import { script } from './support/node.js'

const transaction = (id: number) =>
  ({ id, price: 1_000_000, size: 100, side: 'bid', instrument: 0, ingressTsNs: 0 }) as const

test('the clock counts up, converts, and says how', () => {
  initTsc()
  const start = rdtsc()
  const [now, nanos] = [clock.now(), clock.nanos()]
  expect(tscToNs(rdtsc() - start)).toBeLessThan(1_000_000_000n)
  expect(clock.now()).toBeGreaterThanOrEqual(now)
  expect(clock.nanos()).toBeGreaterThanOrEqual(nanos)
  const { ticksPerNano, errorPpm, source } = clock.calibration
  expect(['tsc', 'cntvct', 'os']).toContain(source)
  expect(ticksPerNano).toBeGreaterThan(0)
  expect(errorPpm).toBeLessThan(100)
  const epochMillis = Number(clock.toEpochNanos(clock.now()) / 1_000_000n)
  expect(Math.abs(epochMillis - Date.now())).toBeLessThan(1_000)
})

test("the clock can be the system's", async () => {
  const { stdout } = await script(`
    process.env.VELOX_CLOCK = 'os'
    const { clock } = await import('velox-engine')
    console.log(clock.calibration.source, clock.calibration.ticksPerNano)`)
  expect(stdout).toBe('os 1\n')
})

test('a builder closes a bundle when it is full', () => {
  const ring = new RingBuffer(Bundle, 4)
  const builder = new BundleBuilder({ max: 2, timeoutMicros: 1e9 })
  expect([builder.add(transaction(1), ring), builder.length]).toEqual([true, 1])
  expect([builder.add(transaction(2), ring), builder.length]).toEqual([true, 0])
  const bundle = ring.pop() as NonNullable<ReturnType<typeof ring.pop>>
  expect(activeTransactions(bundle).map(({ id }) => id)).toEqual([1, 2])
  expect(bundle.createdTsNs).toBeGreaterThan(0n)
  expect(builder.forceFlush(ring)).toBe('empty')
})

test('a builder in front of a full ring takes nothing and loses nothing', () => {
  const ring = new RingBuffer(Bundle, 2)
  const builder = new BundleBuilder({ max: 1 })
  const taken = [1, 2, 3].map((id) => builder.add(transaction(id), ring))
  expect(taken).toEqual([true, true, false])
  ring.pop()
  expect(builder.add(transaction(3), ring)).toBe(true)
  expect(ring.popMany(4).flatMap((bundle) => bundle.transactions.map(({ id }) => id))).toEqual([2, 3])
})

test('an old bundle says so and can be flushed', async () => {
  const ring = new RingBuffer(Bundle, 2)
  const builder = new BundleBuilder({ timeoutMicros: 1_000 })
  builder.add(transaction(1), ring)
  await vi.waitUntil(() => builder.shouldFlushTimeout())
  expect([builder.forceFlush(ring), builder.shouldFlushTimeout()]).toEqual(['flushed', false])
})

test('a builder refuses bad bounds, transactions and rings, and goes on', () => {
  expectCode(() => new BundleBuilder({ max: 17 }), 'VELOX_INVALID_VALUE', 'max')
  expectCode(() => new BundleBuilder({ timeout: 5 } as never), 'VELOX_UNKNOWN_OPTION', 'timeoutMicros')
  const ring = new RingBuffer(Bundle, 2)
  const builder = new BundleBuilder()
  expectCode(() => builder.add({ ...transaction(1), side: 'buy' } as never, ring), 'VELOX_INVALID_VALUE', 'side')
  expectCode(() => builder.add(transaction(1), {} as never), 'VELOX_INVALID_VALUE', 'a RingBuffer of Bundle')
  expectCode(() => activeTransactions({} as never), 'VELOX_INVALID_VALUE', 'a Bundle')
  const other = RingBuffer.attach(Bundle, ring.share())
  other.push({ transactions: [], count: 0, createdTsNs: 0 })
  expectCode(() => builder.add(transaction(1), ring), 'VELOX_RING_OWNED', 'producer')
  other.release('producer')
  expect(builder.add(transaction(1), ring)).toBe(true)
  expectCode(() => ring.push({ transactions: [], count: 0, createdTsNs: 0 }), 'VELOX_RING_OWNED', 'native code')
})

test('a builder goes on through another handle of the same ring', () => {
  const ring = new RingBuffer(Bundle, 4)
  const builder = new BundleBuilder({ max: 1 })
  expect(builder.add(transaction(1), ring)).toBe(true)
  expect(builder.add(transaction(2), RingBuffer.attach(Bundle, ring.share()))).toBe(true)
  expect(ring.popMany(4)).toHaveLength(2)
})

test('metrics count, and print a table', () => {
  const metrics = new StageMetrics('filter')
  expect(metrics.snapshot()).toMatchObject({ processed: 0, avgLatencyNs: 0, p999LatencyNs: 0 })
  for (let nanos = 1; nanos <= 1_000; nanos++) metrics.recordProcessing(nanos)
  metrics.recordProcessing(500n)
  metrics.recordError()
  metrics.recordDrop()
  const snapshot = metrics.snapshot()
  expect(snapshot).toMatchObject({
    processed: 1_001,
    errors: 1,
    dropped: 1,
    minLatencyNs: 1,
    p50LatencyNs: 501,
    maxLatencyNs: 1_000,
  })
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  snapshot.print('filter')
  const printed = write.mock.calls.map(([text]) => text).join('')
  write.mockRestore()
  expect(printed).toContain('=== filter Metrics ===\nProcessed:  1001\nErrors:     1\n')
  expectCode(() => metrics.recordProcessing(-1), 'VELOX_INVALID_VALUE', 'latencyNanos')
})
