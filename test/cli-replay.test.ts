// `velox replay` over recorded files.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { count, L2Book, pipeline, replay, sample, toFile } from '../dist/index.js'
import { onTerminal, velox } from './support/engine.js'
import { node } from './support/node.js'

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
