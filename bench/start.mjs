// How long a run takes to start and to stop. Prints one line of JSON: ms, least, median and most.
import { count, L2Book, pipeline, poisson } from 'velox-engine'
import large from './large-stage.mjs'

const ROUNDS = 21

async function once(scripted) {
  const market = poisson({ perSecond: 100_000 })
  const chain = pipeline('bench')
    .from(market)
    .book(new L2Book({ instrument: market.instrument() }))
    .trades()
  const began = performance.now()
  const run = await (scripted ? chain.stage(large) : chain).to(count()).start()
  const started = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const stopping = performance.now()
  const report = await run.stop()
  if (!report.balanced) throw new Error('not balanced')
  return [started - began, performance.now() - stopping]
}

const rounds = { native: [], script: [], stopNative: [], stopScript: [] }
for (let i = -1; i < ROUNDS; i++) {
  for (const scripted of [false, true]) {
    const [start, stop] = await once(scripted)
    // The first waits for the clock's baseline.
    if (i < 0) continue
    rounds[scripted ? 'script' : 'native'].push(start)
    rounds[scripted ? 'stopScript' : 'stopNative'].push(stop)
  }
}
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
}
console.log(JSON.stringify(Object.fromEntries(Object.entries(rounds).map(([k, v]) => [k, spread(v)]))))
