// A soak: a thousand transactions in flight, one request of twenty meets a fault. Each record ends once, requests stay within the
// bucket, memory stays flat. 30 seconds; with VELOX_SOAK=1 ten minutes.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { record, u64 } from 'velox-engine'
import { createSubmitter, memoTemplate, type Outcome } from 'velox-engine/solana'
import { expect, test } from 'vitest'
import { spawnCluster } from './support/solana/index.js'
import { freshJournal, keyOf, rowsOf } from './support/submitter.js'

const SECONDS = process.env['VELOX_SOAK'] === '1' ? 600 : 30
const IN_FLIGHT = 1_000
const PER_SECOND = 400
const FAULTS = ['tooMany', 'unavailable', 'resetMidBody', 'replyLost', 'hang'] as const

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
function heapMegabytes(): number {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
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
    rpc: { url: node.url, ws: node.wsUrl, perSecond: PER_SECOND, burst: PER_SECOND / 4, timeoutMillis: 3_000 },
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
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
  clearInterval(looks)
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
  const busiest = await cluster.call<number>('requests.busiest', 1_000, { method: 'sendTransaction' })
  const faults = await cluster.call<Record<string, number>>('faults.counts')
  await cluster.close()
  console.log(
    JSON.stringify(
      { seconds: SECONDS, records: next, ...counts, most, busiest, faults, heaps: heaps.map(Math.round), stats },
      (_, v) => (typeof v === 'bigint' ? String(v) : v),
    ),
  )
  expect(spent).toBe(BigInt(feeLamports))
  expect(stats).toMatchObject({ inFlight: 0, landed: counts.landed, failed: counts.failed, expired: counts.expired })
  expect(counts.landed).toBeGreaterThan(IN_FLIGHT)
  expect(most).toBeGreaterThan(IN_FLIGHT * 0.9)
  // A second's tokens and a burst; what two clocks differ by is allowed for.
  expect(busiest).toBeLessThanOrEqual(PER_SECOND * 1.25 * 1.1)
  const [early, late] = [Math.max(...heaps.slice(1, 4)), Math.min(...heaps.slice(-3))]
  expect(late - early).toBeLessThan(8 + SECONDS / 30)
})
