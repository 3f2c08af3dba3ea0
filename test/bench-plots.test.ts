// The plots of bench/RESULTS.md over figures of the shape that the benchmarks print.
import { expect, test } from 'vitest'
import { bars, plotsOf } from '../bench/plots.mjs'

const s = (p50: number) => ({ p10: p50 * 0.9, p50, p90: p50 * 1.2 })
const runs = ['spin', 'backoff', 'spin'].map((wait, i) => ({ wait, all: { toBundle: [290 + i, 366, 2150] } }))
const figures = {
  runs,
  stage: { expression: s(2.5), fused: s(8.5), plain: s(40), rings: s(239) },
  js: { nanos: s(22.6), hrtime: s(39.9), performance: s(45) },
  throughput: { chainNanos: [7, 7.5, 8], fourStagesFused: [18, 20, 21], fourStagesTwoThreads: [11, 12, 22] },
}

test('each plot has a bar and a figure for each row, within its frame', () => {
  const plots = plotsOf(figures)
  expect(Object.keys(plots)).toEqual(['latency.svg', 'throughput.svg', 'filters.svg', 'clock.svg'])
  expect(Object.values(plots).map((svg) => svg.match(/fill="#2b6cb0"/g)?.length)).toEqual([6, 3, 4, 3])
  expect(plots['throughput.svg']).toContain('20 M records/s')
  expect(plots['throughput.svg']).toContain('133 M records/s')
  // The middle of two runs with 290 and 292 is the upper one.
  expect(plots['latency.svg']).toContain('292 ns')
  for (const svg of Object.values(plots))
    for (const [, x] of svg.matchAll(/\bx="([\d.]+)"/g)) expect(Number(x)).toBeLessThan(720)
})

test('a bar is as long as its figure, or as its power of ten', () => {
  const widths = (isLog: boolean) => {
    const rows = [100, 10].map((value) => ({ label: '<a>', low: value, value, high: value }))
    const svg = bars({ title: 't', unit: 'ns', isLog, rows })
    expect(svg).toContain('&lt;a&gt;')
    return [...svg.matchAll(/width="([\d.]+)" height="16"/g)].map(([, width]) => Number(width))
  }
  expect(widths(false)).toEqual([360, 36])
  expect(widths(true)).toEqual([360, 0])
})
