import { L2Book, pipeline, replay, sample } from 'velox-engine'
import spike from './spike.js'

const market = replay(sample.btcusdt)
const run = await pipeline('spikes')
  .from(market)
  .book(new L2Book({ instrument: market.instrument() }), { name: 'btc' })
  .trades()
  .stage(spike, { params: { ratio: 1.00005 }, name: 'spike', whenFull: 'block' })
  .start()
for await (const batch of run.batches())
  for (let i = 0; i < batch.length; i++) console.log('spike at', market.instrument().formatPrice(batch.price(i)))
