import { count, L2Book, pipeline, poisson, RingBuffer, replay, sample, Trade, when } from 'velox-engine'
import { expect, test } from 'vitest'
import { expectCode, rejected } from './support/errors.js'

const trades = () => pipeline('p').from(replay(sample.btcusdt)).trades()

async function all() {
  const ring = new RingBuffer(Trade, 16_384)
  await (await trades().to(ring).start()).done()
  return ring.popMany(16_384)
}

type Filter = Parameters<ReturnType<typeof trades>['filter']>[0]

async function filtered(e: Filter) {
  const ring = new RingBuffer(Trade, 16_384)
  const report = await (await trades().filter(e).to(ring).start()).done()
  expect(report.balanced).toBe(true)
  return [ring.popMany(16_384), report.stages[2]] as const
}

test('a filter passes what the same condition in JavaScript passes', async () => {
  const records = await all()
  const [first] = records as [(typeof records)[number]]
  const instrument = replay(sample.btcusdt).instrument()
  const before = (i: number) => records[i - 1]
  const cases: [Filter, (r: (typeof records)[number], i: number) => boolean][] = [
    [(t) => t.side.eq('ask'), (r) => r.side === 'ask'],
    [(t) => t.side.in(['ask', 'bid']).and(t.qty.gt(100)), (r) => r.qty > 100],
    [(t) => t.qty.ge('0.05'), (r) => r.qty >= 50],
    [(t) => t.price.gt(instrument.formatPrice(first.price) as '1').not(), (r) => r.price <= first.price],
    [
      (t) => t.price.sub(t.price.prev()).abs().ge(10),
      (r, i) => i > 0 && Math.abs(r.price - (before(i)?.price ?? 0)) >= 10,
    ],
    [
      (t) => t.price.gt(t.price.prev().mulDiv(100_001, 100_000)),
      (r, i) => i > 0 && r.price > Math.trunc(((before(i)?.price ?? 0) * 100_001) / 100_000),
    ],
    [
      (t) => t.qty.between(5, 10).or(t.qty.in([1, 3])),
      (r) => (r.qty >= 5 && r.qty <= 10) || r.qty === 1 || r.qty === 3,
    ],
    [
      (t) => when(t.side.eq('bid'), t.qty).otherwise(t.qty.mul(2)).gt(500),
      (r) => (r.side === 'bid' ? r.qty : 2 * r.qty) > 500,
    ],
    [
      (t) => t.price.prev().over(t.side).lt(t.price),
      (r, i) => (records.slice(0, i).findLast(({ side }) => side === r.side)?.price ?? r.price) < r.price,
    ],
    [
      (t) => t.price.prev().over(t.qty.gt(100)).lt(t.price),
      (r, i) => (records.slice(0, i).findLast(({ qty }) => qty > 100 === r.qty > 100)?.price ?? r.price) < r.price,
    ],
    [(t) => t.qty.toF64().div(1000).lt(0.002), (r) => r.qty / 1000 < 0.002],
    [(t) => t.price.add(t.qty).gt(first.price), (r) => r.price + r.qty > first.price],
    [(t) => t.qty.neg().lt(-100), (r) => -r.qty < -100],
    [(t) => t.qty.max(50).eq(50), (r) => Math.max(r.qty, 50) === 50],
    [(t) => t.qty.clamp(5, 20).ne(20), (r) => Math.min(Math.max(r.qty, 5), 20) !== 20],
    [(t) => t.qty.clamp(5, 20).le(5), (r) => r.qty <= 5],
    [(t) => t.price.eq(first.price), (r) => r.price === first.price],
    [(t) => t.qty.ne(1), (r) => r.qty !== 1],
    [(t) => t.qty.le(3), (r) => r.qty <= 3],
    [(t) => t.exchangeTs.sub(t.receiveTs.min(t.exchangeTs)).ge(0n), () => true],
  ]
  for (const [e, expected] of cases) {
    const [passed, stage] = await filtered(e)
    const wanted = records.filter(expected)
    expect(wanted.length, String(e)).toBeGreaterThan(0)
    expect(passed, String(e)).toEqual(wanted)
    expect(stage).toMatchObject({
      name: 'filter',
      consumed: wanted.length,
      filtered: records.length - wanted.length,
      errors: 0,
    })
  }
})

test('a filter of events is fused before the other native stages', async () => {
  const market = poisson({ perSecond: 1e5, count: 5_000, pace: 'max' })
  const book = new L2Book({ instrument: market.instrument() })
  const chain = pipeline('p')
    .from(market)
    .filter((t) => t.kind.in(['level', 'trade']).and(t.sequence.gt(100)))
  const report = await (await chain.book(book).trades().to(count()).start({ threads: 2 })).done()
  expect(report.stages.map((s) => s.out).slice(0, 2)).toEqual([10_000, 9_800])
  expect(report).toMatchObject({ balanced: true, nonDeterministic: [] })
})

test('a record without an answer is an error of the stage, counted', async () => {
  const [passed, stage] = await filtered((t) => t.price.div(t.qty.sub(t.qty)).gt(0))
  expect(passed).toEqual([])
  expect(stage).toMatchObject({ errors: (await all()).length, filtered: 0 })
  expect(stage?.firstError).toContain('division by')
})

test('expressions that can not be are refused before anything runs', async () => {
  const p = trades()
  expectCode(
    () => p.filter((t) => (t as never as { prize: typeof t.price }).prize.gt(5)),
    'VELOX_UNKNOWN_FIELD',
    'Trade',
    'did you mean price?',
  )
  const two: Filter = (t) => {
    t.price.gt(1)
    return t.qty.gt(2)
  }
  expectCode(() => p.filter(two), 'VELOX_INVALID_VALUE', '1 that lead nowhere')
  expectCode(() => p.filter((t) => t.price.gt(1) && t.qty.gt(2)), 'VELOX_INVALID_VALUE', '&&')
  expectCode(() => p.filter((t) => ((t.price as never) > 5) as never), 'VELOX_INVALID_VALUE', 'an operator')
  expectCode(() => p.filter((t) => t.price as never), 'VELOX_INVALID_VALUE', 'a condition')
  expectCode(() => p.filter((t) => t.side.eq('buy' as never)), 'VELOX_INVALID_VALUE', "'bid', 'ask'")
  expectCode(() => p.filter(undefined as never), 'VELOX_INVALID_VALUE', 'a function')
  expectCode(() => p.filter((t) => t.price.over(t.side as never).gt(1)), 'VELOX_INVALID_VALUE', 'prev() before over()')
  for (const [e, code, text] of [
    [(t) => t.price.mul(1.01).gt(5), 'VELOX_TYPE_MISMATCH', 'mulDiv(101, 100)'],
    [(t) => t.id.gt('1.5'), 'VELOX_TYPE_MISMATCH', ''],
    [(t) => t.qty.gt('0.0001'), 'VELOX_INVALID_VALUE', 'multiple of 0.001'],
  ] as [Filter, string, string][]) {
    const error = await rejected(p.filter(e).to(count()).start())
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)])
  }
})
