// Bars of one second from recorded trades, by a stage of its own, as lines of CSV.
import { pipeline, replay, sample } from 'velox-engine'
import ohlcv from './ohlcv-stage.js'

const market = replay(sample.btcusdt)
const btc = market.instrument()
const run = await pipeline('bars').from(market).trades().stage(ohlcv, { name: 'ohlcv' }).start()

console.log('start,open,high,low,close,volume,trades')
for await (const batch of run.batches()) {
  for (const { start, open, high, low, close, volume, trades } of batch.toArray()) {
    const prices = [open, high, low, close].map((ticks) => btc.formatPrice(ticks))
    const time = new Date(Number(start / 1_000_000n)).toISOString()
    console.log([time, ...prices, btc.formatQty(volume), trades].join())
  }
}
await run.done()
