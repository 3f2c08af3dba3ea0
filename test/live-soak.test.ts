import { setTimeout as delay } from 'node:timers/promises'
import { L2Book, pipeline } from 'velox-engine'
import { live } from 'velox-engine/feed'
import { expect, test } from 'vitest'
import { spawnExchange } from './support/exchange/index.js'

const MINUTES = process.env['VELOX_SOAK'] ? 10 : 1
const CUT_SECONDS = 10
/** A heap that is given back lazily, and the pages that it leaves behind. */
const GROWTH_BYTES = 32 * 2 ** 20

test(`a live market that is cut every ${CUT_SECONDS} seconds, for ${MINUTES} min: flat memory, trades in order`, {
  timeout: (MINUTES * 60 + 60) * 1_000,
}, async () => {
  const exchange = await spawnExchange({ venue: 'binance-spot', market: 'synthetic', rate: 1_000, trades: 0.5 })
  const [symbol = ''] = exchange.symbols
  const market = live({ venue: 'binance-spot', symbols: [symbol], url: exchange.url, restUrl: exchange.restUrl })
  const book = new L2Book({ instrument: market.instrument() })
  const run = await pipeline('soak').from(market).book(book).trades().start()
  let [last, seen, missing, jumps] = [0, 0, 0, 0]
  const reading = (async () => {
    for await (const batch of run.batches()) {
      for (let i = 0; i < batch.length; i++) {
        const id = batch.id(i)
        if (id <= last) throw new Error(`expected a trade after ${last}, got ${id}`)
        if (last > 0 && id > last + 1) {
          missing += id - last - 1
          jumps += 1
        }
        seen += 1
        last = id
      }
    }
  })()
  const cuts = (MINUTES * 60) / CUT_SECONDS
  const memory: number[] = []
  for (let n = 0; n < cuts; n++) {
    await delay(CUT_SECONDS * 500)
    // A book that is cut off is right again within five seconds.
    expect(book.state).toBe('live')
    memory.push(process.memoryUsage.rss())
    await delay(CUT_SECONDS * 500)
    await exchange.cut()
  }
  const { balanced, stages } = await run.stop()
  const status = stages[0]?.live
  await reading
  await exchange.close()
  expect(balanced).toBe(true)
  expect(status).toMatchObject({ checksums: 0, errors: 0, overflows: 0 })
  expect(status?.connections).toBeGreaterThanOrEqual(cuts)
  expect(seen).toBeGreaterThan(MINUTES * 60 * 100)
  // What was made while no connection stood the venue doesn't tell again; all that it told must be there.
  expect(jumps).toBeLessThanOrEqual((status?.connections as number) - 1)
  const growth = (memory.at(-1) as number) - (memory[0] as number)
  expect(growth).toBeLessThan(GROWTH_BYTES)
  console.log(
    `live soak: ${MINUTES} min, ${status?.connections} connections, ${status?.messages} messages, ${seen} trades in order, ` +
      `${missing} missing in ${jumps} cuts, memory ${(growth / 2 ** 20).toFixed(1)} MiB more than at first`,
  )
})
