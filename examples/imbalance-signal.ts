// A signal on the recorded book: somebody sells into a book that leans to the buyers, while the spread is one tick.
import { f64, i64, L2Book, nanos, param, pipeline, record, replay, sample } from 'velox-engine'

const Signal = record('Signal', { time: nanos, bid: i64, ask: i64, qty: i64, imbalance: f64 })

const market = replay(sample.btcusdt)
const btc = market.instrument()
// A number that can be turned while the run goes: run.params.set(tilt, 0.8).
const tilt = param('tilt', 0.9)

const run = await pipeline('imbalance')
  .from(market)
  .book(new L2Book({ instrument: btc }))
  .trades()
  .filter((t, { book }) => t.side.eq('ask').and(t.qty.ge('0.100'), book.spread.eq('0.10'), book.imbalance(5).gt(tilt)))
  // One a second of a price: a large order comes as many trades.
  .dedupe((t) => t.price, { windowMicros: 1_000_000 })
  .map(Signal, (t, { book }) => ({
    time: t.receiveTs,
    bid: book.bid,
    ask: book.ask,
    qty: t.qty,
    imbalance: book.imbalance(5),
  }))
  .start()

let signals = 0
for await (const batch of run.batches()) {
  for (let i = 0; i < batch.length; i++) {
    if (++signals > 5) continue
    const time = new Date(batch.time.micros(i) / 1000).toISOString()
    const [bid, ask] = [btc.formatPrice(batch.bid(i)), btc.formatPrice(batch.ask(i))]
    console.log(`${time} ${btc.formatQty(batch.qty(i))} sold at ${bid} / ${ask}, ${batch.imbalance(i).toFixed(3)}`)
  }
}
const { stages } = await run.done()
console.log(`${signals} signals in ${stages.find(({ name }) => name === 'filter')?.in} trades`)
