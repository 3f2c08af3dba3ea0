import { count, pipeline, replay, sample } from 'velox-engine'
import largeTrades from './large-trades.mjs'

const run = await pipeline('stage')
  .from(replay(sample.btcusdt))
  .trades()
  .stage(largeTrades, { params: { least: 1000 } })
  .to(count('large'))
  .start()
const { stages, balanced } = await run.done()
console.log(`${stages[3].consumed} of ${stages[2].in} trades, balanced ${balanced}`)
