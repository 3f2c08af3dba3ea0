// `velox replay` over recorded files.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { count, discard, L2Book, pipeline, replay, sample, toFile } from 'velox-engine'
import { live } from 'velox-engine/feed'
import { afterAll, expect, test } from 'vitest'
import { onTerminal, velox } from './support/engine.js'
import { startExchange } from './support/exchange/index.js'
import { node, shared } from './support/node.js'
import { until } from './support/until.js'

const folder = mkdtempSync(join(tmpdir(), 'velox-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) => node([velox, 'replay', ...args], { env: { XDG_RUNTIME_DIR: folder } })

test('says of the sample what a pipeline says of it', async () => {
  const { status, stdout, stderr } = await run('sample', '--json', '--depth', '3')
  expect([status, stderr]).toEqual([0, ''])
  const told = JSON.parse(stdout)

  const market = replay(sample.btcusdt)
  const instrument = market.instrument()
  const book = new L2Book({ instrument })
  const run1 = await pipeline('same').from(market).book(book).to(count()).start()
  const report = await run1.done()
  const trades = await pipeline('trades').from(replay(sample.btcusdt)).trades().toArray()
  const sum = (of: (trade: (typeof trades)[number]) => number) => trades.reduce((all, trade) => all + of(trade), 0)

  const [one] = told.markets
  expect(told.markets).toHaveLength(1)
  expect(told.verified).toMatchObject({ checked: 423, agreed: 423 })
  expect([told.balanced, told.gaps]).toEqual([true, report.gaps])
  const events = Object.values(told.events as Record<string, number>)
  expect(events.reduce((all, n) => all + n)).toBe(report.stages[0]?.out)
  expect(one).toMatchObject({ symbol: 'BTCUSDT', venue: 'binance-usdm', state: 'live' })
  expect(one.trades.count).toBe(trades.length)
  expect(told.events.trade).toBe(trades.length)
  expect(one.trades.volume).toBe(instrument.formatQty(sum(({ qty }) => qty)))
  expect(one.trades.high).toBe(instrument.formatPrice(Math.max(...trades.map(({ price }) => price))))
  expect(one.trades.low).toBe(instrument.formatPrice(Math.min(...trades.map(({ price }) => price))))
  const vwap = (sum(({ price, qty }) => price * qty) / sum(({ qty }) => qty)) * Number(instrument.tick)
  expect(one.trades.vwap).toBeCloseTo(vwap, 3)
  const top = book.top()
  expect(one.top.bid).toBe(instrument.formatPrice(top?.bid ?? 0))
  const depth = book.depth(3).bids.map(({ price, qty }) => [instrument.formatPrice(price), instrument.formatQty(qty)])
  expect(one.depth.bids).toEqual(depth)
})

test('draws the book and the statistics within 80 letters', async () => {
  const { status, stdout, stderr } = await run('sample', '--depth', '5')
  expect([status, stderr]).toEqual([0, ''])
  const lines = stdout.split('\n')
  expect(lines[0]).toMatch(/^BTCUSDT {2}binance-usdm {2}live {2}spread 0\.10$/)
  expect(lines.slice(1, 6).every((line) => line.includes(' │ '))).toBe(true)
  expect(stdout).toContain("423 of 423 of the exchange's quotes agree with the book")
  expect(stdout).not.toContain('\x1b')
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
})

test('writes every event, or those of one kind, as CSV', async () => {
  const [all, trades] = [join(folder, 'all.csv'), join(folder, 'trades.csv')]
  expect((await run('sample', '--out', trades, '--kind', 'trade', '--json')).status).toBe(0)
  const told = JSON.parse((await run('sample', '--out', all, '--json')).stdout)
  const rows = (path: string) => readFileSync(path, 'utf8').trim().split('\n')
  const sum = Object.values(told.events as Record<string, number>).reduce((a, b) => a + b)
  expect(rows(all)).toHaveLength(sum + 1)
  expect(rows(trades)).toHaveLength(told.events.trade + 1)
  expect(rows(trades)[0]).toContain('price')
  expect(rows(trades)[1]).toContain('BTCUSDT')
})

test('has a book for each of several markets, or for those that are named', async () => {
  const file = join(folder, 'two.velox')
  await (await pipeline('copy').from(replay(sample.btcusdt)).to(toFile(file)).start()).done()
  const told = JSON.parse((await run(file, '--json', '--symbols', 'BTCUSDT')).stdout)
  expect(told.markets.map(({ symbol }: { symbol: string }) => symbol)).toEqual(['BTCUSDT'])
  const none = await run(file, '--symbols', 'ETHUSDT')
  expect(none.status).toBe(1)
  expect(none.stderr).toContain('ETHUSDT')
})

const dbn = shared('data/cme-mbo/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst')

test.skipIf(!dbn)('has the market of a DBN file', async () => {
  const { status, stdout, stderr } = await run(dbn as string, '--json', '--depth', '1')
  expect([status, stderr]).toEqual([0, ''])
  const { events, markets } = JSON.parse(stdout)
  expect(events).toEqual({ level: 2266, trade: 120, quote: 0, status: 0 })
  const top = { bid: '5529.000000000', bidQty: '24', ask: '5529.250000000', askQty: '6' }
  expect(markets).toMatchObject([{ symbol: 'ESU4', venue: 'GLBX.MDP3', state: 'live', top }])
  expect(markets[0].depth).toEqual({ bids: [['5529.000000000', '24']], asks: [['5529.250000000', '6']] })
})

test('has the books that a recording of a live market left', async () => {
  await using exchange = await startExchange({ venue: 'kraken', market: 'synthetic', rate: 2_000 })
  const record = join(folder, 'day.rec')
  const market = live({
    venue: 'kraken',
    symbols: exchange.symbols,
    url: exchange.url,
    restUrl: exchange.restUrl,
    record,
  })
  const books = exchange.symbols.map((symbol) => new L2Book({ instrument: market.instrument(symbol) }))
  const chain = books.reduce((p, book) => p.book(book), pipeline('recorded').from(market))
  const recorded = await chain.to(discard()).start()
  await until(() => books.every((book) => book.state === 'live' && (book.top()?.sequence ?? 0) > 0))
  await delay(200)
  await recorded.stop()
  const { status, stdout, stderr } = await run(record, '--json', '--depth', '5')
  expect([status, stderr]).toEqual([0, ''])
  const { balanced, markets } = JSON.parse(stdout)
  const depthOf = (book: L2Book) => {
    const { instrument } = book
    const { bids, asks } = book.depth(5)
    const told = (levels: typeof bids) =>
      levels.map(({ price, qty }) => [instrument.formatPrice(price), instrument.formatQty(qty)])
    return { symbol: instrument.symbol, depth: { bids: told(bids), asks: told(asks) } }
  }
  expect(balanced).toBe(true)
  expect(markets).toMatchObject(books.map(depthOf))
  expect(markets[0].depth.bids).toHaveLength(5)
})

test('ends after so many seconds of a paced replay', async () => {
  const { status, stdout } = await run('sample', '--pace', '2000', '--seconds', '0.5', '--json')
  expect(status).toBe(0)
  const { events } = JSON.parse(stdout)
  expect(events.level).toBeGreaterThan(0)
})

test.each([
  ['no.gz', undefined, 'expected a file, got nothing there'],
  ['text.txt', 'a text that is no recording\n', 'expected'],
])('a file that is none is a sentence, and 1: %s', async (name, text, sentence) => {
  const path = join(folder, name)
  if (text !== undefined) writeFileSync(path, text)
  const { status, stdout, stderr } = await run(path)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toContain(sentence)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

test.skipIf(!existsSync('/usr/bin/script'))('draws the book in place on a terminal while it plays', async () => {
  const text = await onTerminal(folder, 'replay', 'sample', '--pace', '20000')
  const [, rest = ''] = text.split('\x1b[?1049h\x1b[?25l')
  const [page = '', after = ''] = rest.split('\x1b[?25h\x1b[?1049l')
  const frames = page.split('\x1b[H').slice(1)
  expect(frames.length).toBeGreaterThanOrEqual(2)
  for (const frame of frames)
    for (const line of stripVTControlCharacters(frame).split('\r\n')) expect([...line].length).toBeLessThanOrEqual(80)
  expect(frames.at(-1)).toContain('│')
  expect(page).toContain('\x1b[32m')
  expect(stripVTControlCharacters(after)).toContain('of the exchange')
})
