// The plots of bench/RESULTS.md, as SVG: a bar for each figure, and its spread over it.

const WIDTH = 720
const LABELS = 250
const VALUES = 110
const ROW = 26
const TOP = 44

const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const rounded = (n) => Number(n.toFixed(1))

/**
 * Bars under a title. `isLog` where figures differ by powers of ten: the axis begins at the power of ten below the least.
 *
 * @param {{ title: string, unit: string, isLog?: boolean, rows: { label: string, low: number, value: number, high: number }[] }} of
 */
export function bars({ title, unit, rows, isLog = false }) {
  const room = WIDTH - LABELS - VALUES
  const most = Math.max(...rows.map(({ high }) => high))
  const least = isLog ? 10 ** Math.floor(Math.log10(Math.min(...rows.map(({ low }) => Math.max(low, 1e-3))))) : 0
  const at = (value) => {
    if (!isLog) return (room * Math.max(0, value)) / most
    return (room * Math.log10(Math.max(value, least) / least)) / Math.log10(most / least)
  }
  const height = TOP + rows.length * ROW + 12
  const lines = rows.flatMap(({ label, low, value, high }, i) => {
    const y = TOP + i * ROW
    const [from, to] = [low, high].map((each) => rounded(LABELS + at(each)))
    const shown = value < 10 ? value.toFixed(2) : value.toLocaleString('en', { maximumFractionDigits: 0 })
    return [
      `<text x="${LABELS - 10}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABELS}" y="${y + 4}" width="${rounded(at(value))}" height="${ROW - 10}" fill="#2b6cb0"/>`,
      `<path d="M${from} ${y + 12}H${to}M${from} ${y + 8}v8M${to} ${y + 8}v8" stroke="#1a202c"/>`,
      `<text x="${rounded(LABELS + at(high)) + 8}" y="${y + 16}">${escaped(`${shown} ${unit}`)}</text>`,
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1a202c">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="24" font-size="14" font-weight="600">${escaped(title)}${isLog ? ' (logarithmic)' : ''}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}

const sorted = (values) => values.toSorted((a, b) => a - b)
const spread = (label, values) => {
  const all = sorted(values)
  return { label, low: all[0], value: all[Math.floor(all.length / 2)], high: all.at(-1) }
}
const percentiles = (label, { p10, p50, p90 }) => ({ label, low: p10, value: p50, high: p90 })

/** By file name, what `npm run bench` measured. */
export function plotsOf({ runs, stage, js, throughput }) {
  const latency = ['spin', 'backoff'].flatMap((wait) =>
    ['p50', 'p90', 'p99'].map((name, p) =>
      spread(
        `${wait}, ${name}`,
        runs.filter((run) => run.wait === wait).map((run) => run.all.toBundle[p]),
      ),
    ),
  )
  const [chain, fused, cut] = [throughput.chainNanos, throughput.fourStagesFused, throughput.fourStagesTwoThreads]
  return {
    'latency.svg': bars({
      title: 'Scheduled arrival → bundle stage, 100,000 a second',
      unit: 'ns',
      isLog: true,
      rows: latency,
    }),
    'throughput.svg': bars({
      title: 'As fast as they go',
      unit: 'M records/s',
      rows: [
        spread(
          'source → filter → map → count',
          chain.map((nanos) => 1000 / nanos),
        ),
        spread('four stages, one thread', fused),
        spread('four stages, two threads', cut),
      ],
    }),
    'filters.svg': bars({
      title: 'A filter by quantity, a record',
      unit: 'ns',
      rows: [
        percentiles('a native expression', stage.expression),
        percentiles('a stage in TypeScript, fused', stage.fused),
        percentiles('plain JavaScript, objects', stage.plain),
        percentiles('a worker between two rings', stage.rings),
      ],
    }),
    'clock.svg': bars({
      title: 'A look at the clock from JavaScript',
      unit: 'ns',
      rows: [
        percentiles('clock.nanos()', js.nanos),
        percentiles('process.hrtime.bigint()', js.hrtime),
        percentiles('performance.now()', js.performance),
      ],
    }),
  }
}
