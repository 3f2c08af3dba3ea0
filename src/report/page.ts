import type { renderReport as Face, RunReport } from '../../metrics.js'
import { refuse } from '../errors/check.js'
import { changes, machine, markets, placement } from './facts.js'
import { count, duration, short } from './format.js'
import { Html, html } from './html.js'
import { accounts, fill, latencies, throughput } from './sections.js'
import { STYLE } from './style.js'
import { datum } from './tables.js'

/** Nothing is fetched and nothing runs, whatever a name may hold. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

interface Tile {
  readonly name: string
  readonly path: string
  readonly value: unknown
  readonly text: string
  readonly note?: string
  readonly verdict?: 'good' | 'bad'
}

/** What is asked first: did it keep up, is it right, where are the tails. */
function tilesOf({ report }: RunReport): Tile[] {
  const { balanced, gaps, verified, endToEndNanos: latency, hiccupNanos: hiccup, nonDeterministic } = report
  const dropped = report.edges.reduce((sum, edge) => sum + edge.dropped, 0)
  const lost = dropped > 0 ? `${count(dropped)} dropped` : 'nothing dropped'
  const tiles: Tile[] = [
    {
      name: 'throughput',
      path: 'report.perSecond',
      value: report.perSecond,
      text: `${short(report.perSecond)} / s`,
      note: `in ${duration(report.elapsedNanos)}`,
    },
    {
      name: 'accounts',
      path: 'report.balanced',
      value: balanced,
      text: balanced ? '✓ balanced' : '✗ not balanced',
      note: lost,
      verdict: balanced ? 'good' : 'bad',
    },
    {
      name: 'book',
      path: 'report.verified',
      value: verified,
      text: verified
        ? `${verified.checked === verified.agreed ? '✓' : '✗'} ${count(verified.agreed)} of ${count(verified.checked)}`
        : 'unverified',
      note: verified ? 'quotes agree' : 'no quote to hold it to',
      ...(verified && { verdict: verified.checked === verified.agreed ? 'good' : 'bad' }),
    },
    {
      name: 'gaps',
      path: 'report.gaps',
      value: gaps,
      text: count(gaps),
      note: `${count(report.leftOut)} messages left out`,
      ...(gaps > 0 && { verdict: 'bad' }),
    },
    {
      name: 'repeatable',
      path: 'report.nonDeterministic',
      value: nonDeterministic,
      text: nonDeterministic.length === 0 ? 'yes' : 'no',
      note: nonDeterministic.length === 0 ? 'same input, same bytes' : 'for the reasons below',
    },
  ]
  const times = [
    ['endToEndNanos', 'p50', 'end to end, p50', latency],
    ['endToEndNanos', 'p99', 'end to end, p99', latency],
    ['endToEndNanos', 'p999', 'end to end, p99.9', latency],
    ['hiccupNanos', 'p999', 'machine’s hiccups, p99.9', hiccup],
  ] as const
  for (const [key, percentile, name, of] of times)
    if (of)
      tiles.push({ name, path: `report.${key}.${percentile}`, value: of[percentile], text: duration(of[percentile]) })
  return tiles
}

const tile = ({ name, path, value, text, note, verdict }: Tile) =>
  html`<div><dt>${name}</dt><dd class="${verdict}">${datum({ path, value, text })}${note !== undefined && html`<small>${note}</small>`}</dd></div>`

function reasons({ nonDeterministic }: RunReport['report']): Html | undefined {
  if (nonDeterministic.length === 0) return undefined
  return html`<section id="reasons"><h2>Why the same input may give other bytes</h2><ul>${nonDeterministic.map((one) => html`<li>${one}</li>`)}</ul></section>`
}

/** A report of this form; what is in it is its maker's to keep right. */
export function checkReport(of: RunReport): RunReport {
  const isOne = typeof of === 'object' && of !== null && of.version === 1
  return isOne ? of : refuse('report', 'what done() of a history gave, of version 1', of)
}

export const renderReport: typeof Face = (given) => {
  const of = checkReport(given)
  const { run, startedAt, machine: m } = of
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${run}: report of a run</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<header><h1>${datum({ path: 'run', value: run, text: run })}</h1>
<p>${datum({ path: 'startedAt', value: startedAt, text: `${startedAt.slice(0, 10)} ${startedAt.slice(11, 19)} UTC` })} · velox-engine ${m.engine}</p>
<dl class="tiles">${tilesOf(of).map(tile)}</dl></header>
${[reasons(of.report), latencies(of), throughput(of), fill(of), accounts(of), markets(of), placement(of), changes(of), machine(of)]}
</main>
</body>
</html>
`
  return page.text
}
