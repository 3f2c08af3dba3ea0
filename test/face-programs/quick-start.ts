import { f64, type Infer, L2Book, param, pipeline, RingBuffer, record, replay, sample, u32, u64 } from 'velox-engine'
import { live } from 'velox-engine/feed'

// a ring of your own records, between threads
const MarketData = record('MarketData', { symbol: u32, price: f64, volume: u64, timestamp: u64.big })
const ring = new RingBuffer(MarketData, 4096)
ring.push({ symbol: 1, price: 100.01, volume: 1000, timestamp: 1n })
const first: Infer<typeof MarketData> | undefined = ring.pop()
ring.drain((batch) => {
  for (let i = 0; i < batch.length; i++) if (batch.price(i) > 100) console.log(batch.symbol(i))
})
console.log(first?.timestamp)

// a live (or recorded) market, a book that is right or says that it isn't, a filter that runs natively and can be turned while it runs
const symbol = process.argv[2]
const market = symbol ? live({ venue: 'binance-spot', symbols: [symbol] }) : replay(sample.btcusdt)
const btc = market.instrument(),
  book = new L2Book({ instrument: btc }),
  tilt = param('tilt', 0.3)
const run = await pipeline('imbalance')
  .from(market)
  .book(book)
  .trades()
  .filter((t, { book }) => t.qty.gt('0.05').and(t.side.eq('ask'), book.imbalance(5).gt(tilt)))
  .start()
setTimeout(() => run.params.set(tilt, 0.5), 5_000).unref()
for await (const batch of run.batches())
  for (let i = 0; i < batch.length; i++)
    console.log(batch.side(i), btc.formatPrice(batch.price(i)), btc.formatQty(batch.qty(i)))
console.log(String(await run.done()))
