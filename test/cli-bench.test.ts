// `velox bench`, short: what it measures is there, not how fast this machine is.
import { expect, test } from 'vitest'
import { drawFigures } from '../dist/cli/bench/draw.js'
import type { Figures } from '../dist/cli/bench/measure.js'
import { velox } from './support/engine.js'
import { node } from './support/node.js'

test('gives every figure, beside the machine and the date', async () => {
  const { status, stdout, stderr } = await node([velox, 'bench', '--seconds', '1', '--json'])
  expect([status, stderr]).toEqual([0, ''])
  const { date, machine, figures } = JSON.parse(stdout) as {
    date: string
    machine: { processor: string }
    figures: Figures
  }
  expect(Date.now() - Date.parse(date)).toBeLessThan(60_000)
  expect(machine.processor).not.toBe('')
  const { gaps, fourStages, ...rest } = figures
  for (const found of Object.values(rest)) for (const value of Object.values(found)) expect(value).toBeGreaterThan(0)
  expect(gaps.share).toBeLessThan(1)
  expect(fourStages.perSecond).toBeGreaterThan(0)
  expect(fourStages.at.endToEndNanos.p50).toBeGreaterThan(0)
})

test('is drawn as a table of 80 letters: each figure beside its limit', () => {
  const p = { min: 1, p50: 290, p90: 740, p99: 2_150, p999: 9e5, max: 1e6, mean: 300, count: 9 }
  const figures: Figures = {
    line: { roundTripNanos: 200 },
    memory: { readBytesPerSecond: 12e9, copyBytesPerSecond: 8e9 },
    clock: { counterNanos: 11.8, nowNanos: 12, systemNanos: 30 },
    gaps: { count: 3, share: 0.01, maxNanos: 4e6 },
    ring: { nanosPerRecord: 8, recordBytes: 32 },
    ringRoundTrip: { roundTripNanos: 300 },
    book: { updateNanos: 6 },
    orderBook: { updateNanos: 51 },
    expression: { planNanos: 1.34, handNanos: 1.28 },
    fourStages: { perSecond: 20e6, at: { perSecond: 100_000, endToEndNanos: p } },
  }
  const lines = drawFigures(
    figures,
    { processor: 'A processor', cores: 2, runtime: 'Node 20' },
    { columns: 80, color: false },
  )
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(80)
  const text = lines.join('\n')
  expect(text).toMatch(/ring, to a thread and back +300ns +200ns +1\.50× +a cache line/)
  expect(text).toMatch(/ring, 32-byte records +4\.0 GB\/s +8\.0 GB\/s +0\.50×/)
  expect(text).toContain('p50 290ns, p90 740ns, p99 2.15µs')
})
