// The numbers of a live market where they are looked for: in a scrape, and from another process.
import { setTimeout as delay } from 'node:timers/promises'
import { discard, L2Book, type LiveStatus, pipeline } from 'velox-engine'
import { live } from 'velox-engine/feed'
import { serveMetrics } from 'velox-engine/metrics'
import { expect, test } from 'vitest'
import type { Sample } from '../dist/cli/sample.js'
import { velox } from './support/engine.js'
import { startExchange } from './support/exchange/index.js'
import { node } from './support/node.js'
import { ask, complaints, hasPrometheus, sample } from './support/scrape.js'
import { until } from './support/until.js'

const NAME = 'watched-market'
const COUNTS = {
  events: 'events',
  connections: 'connections',
  connectionErrors: 'connection_errors',
  gaps: 'gaps',
  checksums: 'wrong_checksums',
  errors: 'bad_messages',
  overflows: 'overflows',
  dropped: 'dropped_messages',
  snapshots: 'snapshots',
  restErrors: 'rest_errors',
} as const

test('a scrape and velox top tell of a live market what its stats tell', async () => {
  await using exchange = await startExchange({ venue: 'binance-spot', market: 'synthetic', rate: 2_000 })
  const { symbols, url, restUrl } = exchange
  const market = live({ venue: 'binance-spot', symbols, url, restUrl })
  const books = symbols.map((symbol) => new L2Book({ instrument: market.instrument(symbol) }))
  const chain = books.reduce((p, book) => p.book(book), pipeline(NAME).from(market))
  const run = await chain.to(discard()).start()
  await using server = await serveMetrics(run, { port: 0 })
  const status = async (): Promise<LiveStatus> => {
    for await (const { stages } of run.stats({ everyMillis: 1 })) return stages[0]?.live as LiveStatus
    throw new Error('the run has ended')
  }
  const isLive = () => books.every((book) => book.state === 'live')
  await until(isLive)
  exchange.dropNext()
  exchange.garbage()
  exchange.cut()
  await expect.poll(async () => (await status()).connections, { timeout: 20_000 }).toBe(2)
  await until(isLive)
  exchange.run(0)
  await delay(200)

  const told = await status()
  expect(told).toMatchObject({ venue: 'binance-spot', state: 'connected' })
  expect(told.ageMillis).toBeGreaterThan(0)
  expect(told.connectionErrors).toBe(1)
  const { text } = await ask(server.url)
  const family = (name: string, labels = '') => sample(text, `velox_market_${name}{market="live"${labels}}`)
  for (const [key, name] of Object.entries(COUNTS))
    expect([name, family(`${name}_total`)]).toEqual([name, told[key as keyof typeof COUNTS]])
  expect(family('messages_total')).toBeGreaterThanOrEqual(told.messages)
  expect(family('received_bytes_total')).toBeGreaterThanOrEqual(told.bytes)
  expect(family('info', ',venue="binance-spot"')).toBe(1)
  expect(family('state', ',state="connected"')).toBe(1)
  expect(family('message_age_seconds')).toBeLessThan(60)
  for (const { symbol, state } of told.symbols) {
    expect(family('book_state', `,symbol="${symbol}",state="${state}"`)).toBe(1)
    expect(family('book_age_seconds', `,symbol="${symbol}"`)).toBeGreaterThan(0.1)
  }
  if (hasPrometheus) expect(complaints(text)).toEqual([])

  const top = (...args: string[]) =>
    node([velox, 'top', NAME, '--pid', String(process.pid), '--once', '--every', '100', ...args])
  const seen = (JSON.parse((await top('--json')).stdout) as Sample).stages[0]
  for (const key of Object.keys(COUNTS) as (keyof typeof COUNTS)[])
    expect([key, seen?.live?.[key]]).toEqual([key, told[key]])
  expect(seen?.live?.symbols.map(({ symbol, state }) => [symbol, state])).toEqual(
    told.symbols.map(({ symbol, state }) => [symbol, state]),
  )
  const right = `${symbols.length}/${symbols.length}`
  expect((await top()).stdout).toMatch(new RegExp(`^live +binance-spot +connected +${right} `, 'm'))

  await run.stop()
  const { text: last } = await ask(server.url)
  expect(sample(last, 'velox_market_state{market="live",state="ended"}')).toBe(1)
})
