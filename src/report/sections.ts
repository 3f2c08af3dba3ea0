import type { Percentiles } from '../../index.js'
import type { RunReport } from '../../metrics.js'
import { count, duration, percent, short } from './format.js'
import { curveOf, type Histogram } from './histogram.js'
import { type Html, html } from './html.js'
import { percentileChart, type Series } from './percentile-chart.js'
import { lookOf } from './style.js'
import { type Cell, table } from './tables.js'
import { timeChart } from './time-chart.js'

/** What a hop is called, how it is drawn, and its percentiles in the report. */
function hopOf(
  { stage = '', hop }: Histogram,
  of: RunReport,
): { name: string; label: string; look: string; path: string } {
  const at = of.report.stages.findIndex(({ name }) => name === stage)
  const isOnly = of.histograms.filter((other) => other.hop === hop).length === 1
  // A curve has little room for its name.
  const named = (name: string, label = name) => ({ name, label: isOnly ? label : `${label} (${stage})` })
  switch (hop) {
    case 'endToEnd':
      return { ...named('end to end'), look: 'whole', path: 'report.endToEndNanos' }
    case 'bundleWait':
      return { ...named('wait for a bundle', 'bundle wait'), look: 'aside wait', path: 'report.bundleWaitNanos' }
    case 'hiccup':
      return { ...named('machine’s hiccups', 'hiccups'), look: 'aside', path: 'report.hiccupNanos' }
    case 'stage':
      return { name: stage, label: stage, look: lookOf(at), path: `report.stages.${at}.latencyNanos` }
  }
}

function percentilesOf({ stage, hop }: Histogram, { report }: RunReport): Percentiles | undefined {
  if (hop === 'stage') return report.stages.find(({ name }) => name === stage)?.latencyNanos
  return { endToEnd: report.endToEndNanos, bundleWait: report.bundleWaitNanos, hiccup: report.hiccupNanos }[hop]
}

const COLUMNS = ['p50', 'p90', 'p99', 'p999', 'max', 'mean', 'min', 'count'] as const

export function latencies(of: RunReport): Html | undefined {
  const told = of.histograms.flatMap((histogram, i) => {
    const percentiles = percentilesOf(histogram, of)
    return percentiles && histogram.count > 0 ? [{ histogram, i, percentiles, ...hopOf(histogram, of) }] : []
  })
  if (told.length === 0) return undefined
  const series = told.map(({ histogram, i, percentiles, label, look }): Series => {
    return { label, look, path: `histograms.${i}`, curve: curveOf(histogram, percentiles.max) }
  })
  // The report adds up what several ends or bundles have; only the curves are apart.
  const summed = told.filter(({ path }, i) => told.findIndex((other) => other.path === path) === i)
  const rows = summed.map(({ name, path, percentiles }) => [
    name,
    ...COLUMNS.map((name): Cell => {
      const value = percentiles[name]
      return { path: `${path}.${name}`, value, text: name === 'count' ? count(value) : duration(value) }
    }),
  ])
  const heads = ['until it was through', 'p50', 'p90', 'p99', 'p99.9', 'longest', 'mean', 'shortest', 'count']
  return html`<section id="latency"><h2>Latency</h2><p>From a record’s scheduled arrival until the stage was through with it; after a bundle, from the bundle’s closing. A latency with a hiccup as long beside it is the machine’s.</p>
${percentileChart(series)}${table('Latencies', heads, rows)}</section>`
}

export function throughput({ report, history }: RunReport): Html {
  const seconds = history.elapsedNanos.map((nanos) => nanos / 1e9)
  const charts = history.stages.map(({ name, in: taken }, i) => {
    const rates = taken.map((n, at) => {
      const past = (seconds[at] as number) - (seconds[at - 1] ?? 0)
      return past > 0 ? (n - (taken[at - 1] ?? 0)) / past : 0
    })
    const most = Math.max(...rates)
    const mean = (report.stages[i]?.in ?? 0) / Math.max(report.elapsedNanos / 1e9, Number.EPSILON)
    const figure = `${short(mean)} a second on average`
    const path = `history.stages.${i}.in`
    const chart = { title: name, figure, look: lookOf(i), path, seconds, values: rates, most }
    return timeChart({ ...chart, mostText: `${short(most)} a second` })
  })
  return html`<section id="throughput"><h2>Throughput</h2><p>Records that each stage took a second, looked at every ${history.everyMillis} ms. Each chart has a scale of its own.</p><div class="smalls">${charts}</div></section>`
}

export function fill({ report, history, topology }: RunReport): Html | undefined {
  if (history.edges.length === 0) return undefined
  const seconds = history.elapsedNanos.map((nanos) => nanos / 1e9)
  const charts = history.edges.map(({ from, to, capacity, inFlight }, i) => {
    const highWater = report.edges[i]?.highWater ?? 0
    const crosses = topology.edges.find((edge) => edge.from === from && edge.to === to)?.crossesThreads
    return timeChart({
      title: `${from} → ${to}`,
      figure: crosses ? 'between threads' : 'within a thread',
      look: lookOf(topology.stages.indexOf(to)),
      path: `history.edges.${i}.inFlight`,
      seconds,
      values: inFlight,
      most: Math.max(highWater, 1),
      mostText: `high water ${count(highWater)} of ${count(capacity)} (${percent(highWater / Math.max(capacity, 1))})`,
    })
  })
  return html`<section id="fill"><h2>Edge fill</h2><p>Records that waited before a stage at each look; the line on top is the most that ever did. Within a thread an edge is a batch: a full one means that much came at once.</p><div class="smalls">${charts}</div></section>`
}

const STAGE = ['in', 'consumed', 'filtered', 'conflated', 'errors', 'held', 'out'] as const
const EDGE = ['offered', 'pushed', 'popped', 'dropped', 'inFlight', 'highWater'] as const

export function accounts({ report }: RunReport): Html {
  const stages = report.stages.map((stage, i) => [
    { path: `report.stages.${i}.name`, value: stage.name, text: stage.name },
    ...STAGE.map((key): Cell => ({ path: `report.stages.${i}.${key}`, value: stage[key], text: count(stage[key]) })),
    { path: `report.stages.${i}.busy`, value: stage.busy, text: percent(stage.busy) },
  ])
  const edges = report.edges.map((edge, i) => [
    `${edge.from} → ${edge.to}`,
    ...EDGE.map((key): Cell => ({ path: `report.edges.${i}.${key}`, value: edge[key], text: count(edge[key]) })),
  ])
  const notes = report.stages.flatMap((stage) => [
    ...(stage.firstError === undefined ? [] : [`${stage.name}: first error: ${stage.firstError}`]),
    ...(stage.late === undefined ? [] : [`${stage.name}: ${count(stage.late)} records came out of order`]),
  ])
  return html`<section id="accounts"><h2>Accounts</h2><p>Of each stage: in = consumed + filtered + conflated + errors + held. Of each edge: offered = pushed + dropped, pushed = popped + in flight.</p>
${table('Stages', ['stage', ...STAGE, 'busy'], stages)}
${table('Edges', ['edge', 'offered', 'pushed', 'popped', 'dropped', 'in flight', 'high water'], edges)}
${notes.length > 0 && html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}</section>`
}
