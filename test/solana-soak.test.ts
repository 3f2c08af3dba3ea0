// A soak: a thousand transactions in flight, one request of twenty meets a fault. Each record ends once, requests stay within the
// bucket, memory stays flat. A minute; with VELOX_SOAK=1 ten.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { record, u64 } from 'velox-engine'
import { createSubmitter, memoTemplate, type Outcome } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { spawnCluster } from './support/solana/index.js'
import { freshJournal, keyOf, rowsOf } from './support/submitter.js'

const SECONDS = process.env['VELOX_SOAK'] === '1' ? 600 : 60
const IN_FLIGHT = 1_000
/** Fewer than would be sent without a bucket, which is to be seen. */
const PER_SECOND = 80
const BURST = 20
const FAULTS = ['tooMany', 'unavailable', 'resetMidBody', 'replyLost', 'hang'] as const

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
function heapMegabytes(): number {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

interface Count {
  /** Milliseconds. */
  readonly at: number
  readonly requests: number
}

/** The pairs of counts between which more was asked than a bucket lets through in that time, however the counts came. */
function overBucket(counts: readonly Count[]): readonly (readonly [Count, Count])[] {
  return counts.flatMap((last, i) =>
    counts
      .slice(0, i)
      .filter(({ at, requests }) => last.requests - requests > ((last.at - at) / 1_000) * PER_SECOND + BURST + 1)
      .map((first) => [first, last] as const),
  )
}

/** The most requests a second, over a second or a little more. */
function busiest(counts: readonly Count[]): number {
  const rates = counts.map((last) => {
    const first = counts.findLast(({ at }) => at <= last.at - 1_000)
    return first ? ((last.requests - first.requests) / (last.at - first.at)) * 1_000 : 0
  })
  return Math.round(Math.max(...rates))
}

test('a thousand in flight, with faults: each ends once', { timeout: (SECONDS + 200) * 1_000 }, async () => {
  const payer = keyOf()
  const cluster = await spawnCluster(
    '--slot-millis',
    '400',
    '--confirmed-slots',
    '2',
    '--fund',
    `${payer.address}=1000000000000`,
  )
  const [node] = cluster.nodes as [(typeof cluster.nodes)[number]]
  const submitter = await createSubmitter({
    rpc: { url: node.url, ws: node.wsUrl, perSecond: PER_SECOND, burst: BURST, timeoutMillis: 3_000 },
    template: memoTemplate({ signer: payer, record: record('Order', { id: u64 }), tip: false }),
    limits: { maxLamports: 10n ** 13n, maxInFlight: IN_FLIGHT, windowMillis: 1_000 },
    journal: { path: freshJournal(), fsync: false },
    preflight: false,
    pollMillis: 500,
  })
  for (const kind of FAULTS) await cluster.call('faults.add', { kind, probability: 0.01 })

  const ended = new Map<number, Outcome['state'][]>()
  let spent = 0n
  let most = 0
  let next = 0
  const heaps: number[] = []
  const asked: Count[] = []
  const count = () => asked.push({ at: performance.now(), requests: submitter.stats().endpoints[0]?.requests ?? 0 })
  const until = performance.now() + SECONDS * 1_000
  const one = async () => {
    while (performance.now() < until) {
      const id = next++
      const [outcome] = await submitter.submit(rowsOf(1, id))
      if (!outcome) throw new Error('no outcome')
      ended.set(id, [...(ended.get(id) ?? []), outcome.state])
      if ('spentLamports' in outcome) spent += outcome.spentLamports
      most = Math.max(most, submitter.stats().inFlight)
    }
  }
  const looks = setInterval(() => heaps.push(heapMegabytes()), (SECONDS * 1_000) / 8)
  const counting = setInterval(count, 100)
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
  clearInterval(looks)
  clearInterval(counting)
  const stats = submitter.stats()
  await submitter.close()

  const memos = await cluster.call<Record<string, number>>('ledger.memos')
  const counts = { landed: 0, failed: 0, expired: 0, simulated: 0 }
  for (let id = 0; id < next; id++) {
    const [state, ...more] = ended.get(id) ?? []
    expect([id, more.length]).toEqual([id, 0])
    counts[state as Outcome['state']]++
    expect([id, state, memos[id] ?? 0]).toEqual([id, state, state === 'landed' ? 1 : 0])
  }
  const { feeLamports } = await cluster.call<{ feeLamports: string }>('ledger.spent', payer.address)
  // Subscriptions are no requests.
  const methods = ['sendTransaction', 'getSignatureStatuses', 'getLatestBlockhash', 'getEpochInfo']
  const seen = await Promise.all(methods.map((method) => cluster.call<number>('requests.count', { method })))
  const faults = await cluster.call<Record<string, number>>('faults.counts')
  await cluster.close()
  console.log(
    JSON.stringify(
      {
        seconds: SECONDS,
        records: next,
        ...counts,
        most,
        busiest: busiest(asked),
        faults,
        heaps: heaps.map(Math.round),
        stats,
      },
      (_, v) => (typeof v === 'bigint' ? String(v) : v),
    ),
  )
  expect(spent).toBe(BigInt(feeLamports))
  expect(stats).toMatchObject({ inFlight: 0, landed: counts.landed, failed: counts.failed, expired: counts.expired })
  expect(counts.landed).toBeGreaterThan(IN_FLIGHT)
  expect(most).toBeGreaterThan(IN_FLIGHT * 0.9)
  expect(overBucket(asked)).toEqual([])
  // It was the bucket that held them, and no request went without being counted.
  expect(busiest(asked)).toBeGreaterThan(PER_SECOND * 0.8)
  expect(seen.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(stats.endpoints[0]?.requests ?? 0)
  const [early, late] = [Math.max(...heaps.slice(1, 4)), Math.min(...heaps.slice(-3))]
  expect(late - early).toBeLessThan(8 + SECONDS / 30)
})
