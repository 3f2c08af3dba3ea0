import { count, Instrument, L2Book, pipeline, replay } from 'velox-engine'
import { expect, test } from 'vitest'
import { expectCode } from './support/errors.js'
import { shared } from './support/node.js'

const part = '2024-07-01T23-58_2024-07-02T00-02.dbn.zst'
const mbp = shared(`data/cme-mbo/futures_mbp-1_${part}`)
const trades = shared(`data/cme-mbo/futures_trades_${part}`)
const mbo = shared('data/dbn-fixtures/test_data.mbo.v3.dbn.zst')

test.skipIf(!mbp)("a DBN file of a market's best prices leaves the book that its last record shows", async () => {
  const quarter = new Instrument({ symbol: 'ESU4', venue: 'GLBX.MDP3', tick: '0.25', lot: '1' })
  for (const o of [{}, { instruments: [quarter] }, { format: 'dbn', symbols: ['ESU4'], pace: 'max' as const }]) {
    const market = replay(mbp as string, o)
    const instrument = market.instrument('ESU4')
    expect([instrument.venue, instrument.tick]).toEqual(['GLBX.MDP3', o.instruments ? '0.25' : '0.000000001'])
    const book = new L2Book({ instrument })
    const chain = pipeline('es').from(market).book(book).trades().transactions()
    const report = await (await chain.to(count('output')).start()).done()
    expect(report).toMatchObject({ balanced: true, gaps: 0, nonDeterministic: [] })
    expect(report.stages.at(-1)).toMatchObject({ in: 120, consumed: 120 })
    const [bid, ask] = [instrument.price('5529'), instrument.price('5529.25')]
    expect(book.top()).toEqual({ bid, bidQty: 24, ask, askQty: 6, sequence: 9_064_213 })
    const { bids, asks } = book.depth(10)
    expect([bids.map(({ price }) => price), asks.map(({ price }) => price)]).toEqual([[bid], [ask]])
  }
})

test.skipIf(!trades)('a DBN file of trades is their aggressors, prices and sizes', async () => {
  const all = await pipeline('es')
    .from(replay(trades as string))
    .trades()
    .toArray()
  expect(all.length).toBe(120)
  expect(all.filter(({ side }) => side === 'ask').length).toBe(54)
  expect(all[0]).toMatchObject({ id: 9_060_643, side: 'bid', price: 5_528_750_000_000, qty: 2 })
})

test.skipIf(!mbo)('a DBN file of orders is refused by the name of its schema', () => {
  expectCode(() => replay(mbo as string).instrument(), 'VELOX_UNKNOWN_FORMAT', 'dbn mbp-10', 'got dbn mbo')
})
