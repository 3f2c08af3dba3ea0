// Section 2 of the founding document on recorded data: Bitcoin on the spot market against its perpetual future.
import { Instrument, i64, L2Book, nanos, param, pipeline, record, replay } from 'velox-engine'

const [spotFile, usdmFile] = process.argv.slice(2)
if (spotFile === undefined || usdmFile === undefined) {
  console.error('expected two recorded files of the same minutes: one of binance-spot, one of binance-usdm')
  process.exit(2)
}
const [symbol, lot] = ['BTCUSDT', '0.00000001']
const spot = new Instrument({ symbol, venue: 'binance-spot', tick: '0.01', lot })
const usdm = new Instrument({ symbol, venue: 'binance-usdm', tick: '0.10', lot })
// A tick of the future is ten of the spot market's: prices are compared in the finer ones.
const scale = Math.round(Number(usdm.tick) / Number(spot.tick))
const Gap = record('Gap', { time: nanos, buy: i64, sell: i64 })
const edge = param('edge', spot.price('40.00')) // what it takes to pay the fees of both sides

const run = await pipeline('arbitrage')
  .from(replay(spotFile, { instruments: [spot] }))
  .merge((t) => t.receiveTs, [pipeline('usdm').from(replay(usdmFile, { instruments: [usdm] }))])
  .book(new L2Book({ instrument: spot }), { name: 'spot' })
  .book(new L2Book({ instrument: usdm }), { name: 'usdm' })
  // The first events come before both books have a top: what compares with no value is false.
  .filter((_, { books }) => books.spot.bid.gt(0).and(books.usdm.ask.gt(0)))
  .map(Gap, (t, { books }) => ({ time: t.receiveTs, buy: books.usdm.ask.mul(scale), sell: books.spot.bid }))
  .filter(({ buy, sell }) => sell.sub(buy).ge(edge).and(sell.sub(buy).prev().lt(edge)))
  .start()

let found = 0
for await (const batch of run.batches()) {
  for (let i = 0; i < batch.length; i++) {
    found++
    const [buy, sell] = [batch.buy(i), batch.sell(i)]
    const [a, b, profit] = [buy, sell, sell - buy].map((ticks) => `$${spot.formatPrice(ticks)}`)
    console.log(`Arbitrage found! Buy on usdm at ${a}, Sell on spot at ${b}, Profit: ${profit}`)
  }
}
const { stages } = await run.done()
console.log(`${found} times in ${stages.find(({ name }) => name === 'merge')?.in} events of both markets`)
