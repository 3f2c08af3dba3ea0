// What the examples print, against values worked out by hand from the founding document's own code.
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Infer, pipeline, poisson, replay, sample, type Trade } from 'velox-engine'
import { expect, test } from 'vitest'
import { node, root, script, shared } from './support/node.js'

test('the README prints what it says', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, code, output] = /```ts\n(.*?)```\n\n```\n(.*?)```/s.exec(readme) as unknown as [string, string, string]
  const { stdout, stderr } = await script(code)
  expect([stdout, stderr]).toEqual([output, ''])
})

test('the stages of the document and what is made with them take 40 lines at most', () => {
  const names = ['price-filter', 'aggregation', 'monitored', 'ohlcv'].flatMap((name) => [name, `${name}-stage`])
  for (const name of [...names, 'imbalance-signal', 'arbitrage-replay']) {
    const [, ...lines] = readFileSync(join(root, 'examples', `${name}.ts`), 'utf8').split('\n')
    expect(lines.length, name).toBeLessThanOrEqual(40)
  }
})

async function printed(example: string, args: string[] = [], env = {}): Promise<string[]> {
  const { status, stdout, stderr } = await node([join(root, 'build/examples', `${example}.js`), ...args], { env })
  expect([status, stderr]).toEqual([0, ''])
  return stdout.trimEnd().split('\n')
}

test('strings: a hundred messages are produced and consumed, in order', async () => {
  const lines = await printed('strings')
  const expected = (what: string) => Array.from({ length: 100 }, (_, i) => `${what}: Message ${i}`)
  expect(lines.filter((line) => line.startsWith('Produced'))).toEqual(expected('Produced'))
  expect(lines.filter((line) => line.startsWith('Consumed'))).toEqual(expected('Consumed'))
  expect(lines).toHaveLength(200)
})

test('market data: the first price is a spike over nothing, and no later one rises by a hundredth', {
  retry: 2,
}, async () => {
  expect(await printed('market-data')).toEqual(['Price spike detected: $100.00'])
})

test('market makers: the last line has the highest bid and the lowest ask of all three', async () => {
  const lines = await printed('market-makers')
  // 10,000 + 200 + 990 ticks; 10,000 + 50 ticks, which is 1.005 and rounds either way.
  expect(lines.at(-1)).toMatch(/^Best Bid: \$1\.12 \| Best Ask: \$1\.0[01] \| Spread: \$-0\.11$/)
  expect(lines).toHaveLength(50)
})

test('price filter: prices from 950,000 to 1,050,000 pass, 500 apart', async () => {
  expect(await printed('price-filter')).toEqual([
    'Stage Stats - Processed: 1000, Passed: 201, Filtered: 799',
    'Total received: 201',
  ])
})

test('arbitrage: A sells for less than B pays', async () => {
  const [line] = await printed('arbitrage')
  expect(line).toMatch(/^Arbitrage found! Buy on A at \$1\.00, Sell on B at \$1\.0[01], Profit: \$0\.01$/)
})

test('live: an exchange of its own, and a book that says what it is', { timeout: 30_000 }, async () => {
  const lines = await printed('live')
  for (const line of lines.slice(0, 3)) expect(line).toMatch(/^BTCUSDT \d+\.\d\d \/ \d+\.\d\d \(live\)$/)
  expect(lines.join('\n')).toMatch(/balanced.*live: ended, connections 1, /s)
})

test('imbalance signal: the first signals and how many there are', async () => {
  expect(await printed('imbalance-signal')).toEqual([
    '2024-08-08T23:54:19.985Z 0.208 sold at 61809.40 / 61809.50, 0.914',
    '2024-08-08T23:54:59.431Z 0.251 sold at 61811.90 / 61812.00, 0.948',
    '2024-08-08T23:54:59.431Z 0.149 sold at 61811.90 / 61812.00, 0.948',
    '2024-08-08T23:55:09.103Z 0.201 sold at 61837.50 / 61837.60, 0.946',
    '2024-08-08T23:56:09.928Z 0.448 sold at 61748.60 / 61748.70, 0.925',
    '12 signals in 11463 trades',
  ])
})

const [spot, usdm] = ['spot', 'usdm'].map((market) => shared(`data/binance/${market}-btcusdt_20240808.gz`))
test.skipIf(!spot || !usdm)('arbitrage replay: the future was cheaper than spot by $40 five times', async () => {
  const lines = await printed('arbitrage-replay', [spot as string, usdm as string])
  expect(lines.pop()).toBe('5 times in 790663 events of both markets')
  const found = /^Arbitrage found! Buy on usdm at \$(.+), Sell on spot at \$(.+), Profit: \$(.+)$/
  const prices = lines.map((line) => (found.exec(line) ?? []).slice(1).map((price) => Math.round(Number(price) * 100)))
  expect(prices.map(([buy, sell]) => [buy, sell])).toEqual([
    [6_164_000, 6_171_700],
    [6_163_140, 6_167_214],
    [6_159_680, 6_168_603],
    [6_162_030, 6_166_397],
    [6_165_000, 6_169_914],
  ])
  for (const [buy = 0, sell = 0, profit] of prices) expect(profit).toBe(sell - buy)
})

test('arbitrage replay: without files it says what to give', async () => {
  const { status, stderr } = await node([join(root, 'build/examples/arbitrage-replay.js')])
  expect([status, stderr]).toEqual([2, expect.stringContaining('expected two recorded files')])
})

const sampleTrades = () => pipeline('p').from(replay(sample.btcusdt)).trades()

test('ohlcv: the bars of all seconds but the last, as a plain loop makes them', async () => {
  const instrument = replay(sample.btcusdt).instrument()
  const seconds = new Map<bigint, Infer<typeof Trade>[]>()
  for (const trade of await sampleTrades().toArray()) {
    const second = trade.receiveTs / 1_000_000_000n
    seconds.set(second, [...(seconds.get(second) ?? []), trade])
  }
  const bars = [...seconds].map(([second, trades]) => {
    const prices = trades.map(({ price }) => price)
    const [open, close] = [prices[0] as number, prices.at(-1) as number]
    const volume = trades.reduce((sum, { qty }) => sum + qty, 0)
    const ohlc = [open, Math.max(...prices), Math.min(...prices), close].map((ticks) => instrument.formatPrice(ticks))
    return [new Date(Number(second) * 1000).toISOString(), ...ohlc, instrument.formatQty(volume), trades.length].join()
  })
  expect(await printed('ohlcv')).toEqual(['start,open,high,low,close,volume,trades', ...bars.slice(0, -1)])
})

test('aggregation: as many bundles and levels as in Rust, and all lots', async () => {
  const lots = (await sampleTrades().toArray()).reduce((sum, { qty }) => sum + qty, 0)
  const expected = `3568 bundles and 4021 levels of 11463 transactions, ${lots} lots`
  expect(await printed('aggregation')).toEqual([expected])
})

test('monitored: a line a second, and the same counts in the accounts and in the metrics', async () => {
  const lines = await printed('monitored')
  expect(lines).toContain('Risk Check - Processed: 19450, Dropped: 5550')
  expect(lines).toContain('Output: 19450 of 25000 transactions, balanced')
  const seconds = lines.filter((line) => /^\d s: /.test(line)).map((line) => (line.match(/\d+/g) ?? []).map(Number))
  expect(seconds.length).toBeGreaterThan(1)
  expect(seconds.at(-1)?.slice(1)).toEqual([25_000, 19_450, 5_550])
  // Once a second, and at the end with the rates that the counts make.
  expect(lines.filter((line) => line === '=== Risk Check Metrics ===').length).toBeGreaterThan(2)
  const table = lines.slice(lines.lastIndexOf('=== Risk Check Metrics ===') + 1)
  expect(table.slice(0, 3)).toEqual(['Processed:  19450', 'Errors:     0', 'Dropped:    5550'])
  expect(table.slice(6, 8)).toEqual(['Error Rate:  0.00%', 'Drop Rate:   28.53%'])
})

test('prometheus: the document’s names, and the same counts in the run’s own', async () => {
  const all = await pipeline('p')
    .from(poisson({ perSecond: 10_000, count: 10_000, seed: 1 }))
    .trades()
    .toArray()
  const passed = all.filter(({ qty }) => qty <= 100).length
  const lines = await printed('prometheus')
  expect(lines[0]).toMatch(/^Metrics server listening on http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  for (const line of [
    `velox_transactions_total ${passed}`,
    `velox_transactions_dropped ${10_000 - passed}`,
    `velox_transactions_dropped_total ${10_000 - passed}`,
    'velox_stage_in_total{stage="output"} 10000',
    'velox_run_running 0',
  ])
    expect(lines).toContain(line)
  expect(lines.find((line) => /^velox_latency_avg_ns \d+$/.test(line))).toBeDefined()
})

test('solana submitter: 50 transactions land in bundles, and the ledger agrees', { timeout: 60_000 }, async () => {
  const lines = await printed('solana-submitter')
  const told = lines.filter((line) => line.startsWith('Landed with'))
  const records = told.map((line) => Number(/^Landed with (\d+) transactions: \w{80,90}$/.exec(line)?.[1]))
  expect(records.reduce((sum, n) => sum + n, 0)).toBe(50)
  const [, count, spent] = /^(\d+) transactions landed, (\d+) lamports spent$/.exec(lines.at(-2) as string) ?? []
  expect(Number(count)).toBe(told.length)
  expect(lines.at(-1)).toBe(`The ledger says ${spent}`)
})

test('jito: a bundle of 16 lands as 4 transactions, with its tip in the last', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'velox-jito-'))
  const lines = await printed('jito', [], { TMPDIR: folder, TEMP: folder })
  // Its key is gone with it.
  expect(readdirSync(folder)).toEqual([])
  rmdirSync(folder)
  expect(lines[0]).toBe('Sending 16 transactions to Jito')
  expect(lines[1]).toMatch(/^Bundle submitted: [0-9a-f]{64}$/)
  expect(lines.at(-5)).toBe('Bundle status: landed')
  expect(lines.slice(-4)).toEqual([...Array(3).fill('4 memos, 0 lamports of tip'), '4 memos, 5000 lamports of tip'])
})

test('solana: recorded trades land in bundles, once each, for what the submitter says', {
  timeout: 120_000,
}, async () => {
  const lines = await printed('solana')
  const [, records, landed, all] =
    /^(\d+) recorded trades in (\d+) of (\d+) bundles landed, balanced$/.exec(lines[0] as string) ?? []
  expect([records, landed]).toEqual(['383', all])
  expect(lines.at(-2)).toMatch(new RegExp(`^The ledger: \\d+ transactions, ${records} records, each 1 time$`))
  const [, fees, tips, spent] =
    /: (\d+) lamports of fees and (\d+) of tips; the submitter says (\d+) in all$/.exec(lines.at(-1) as string) ?? []
  expect(Number(fees) + Number(tips)).toBe(Number(spent))
})
