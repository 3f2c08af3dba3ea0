import type { renderReport as Face, RunReport } from '../../metrics.js'
import { refuse, words } from '../errors/check.js'
import { changes, machine, markets, placement } from './facts.js'
import { count, duration, percent, short } from './format.js'
import { Html, html } from './html.js'
import { lostOf } from './lost.js'
import { accounts, fill, latencies, throughput } from './sections.js'
import { STYLE } from './style.js'
import { datum } from './tables.js'

/** Nothing is fetched and nothing runs, whatever a name may hold. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

interface Tile {
  readonly name: string
  /** Where its figure lies in the report; absent where it is made of several. */
  readonly path?: string
  readonly value?: unknown
  readonly text: string
  readonly note?: string
  readonly verdict?: 'good' | 'bad'
}

/** What did not arrive, and not on purpose. */
function lost(report: RunReport['report']): Tile {
  const [text, ...more] = lostOf(report, report.gaps).map(([n, what]) => `${count(n)} ${what}`)
  if (text === undefined) return { name: 'lost', text: 'nothing', note: 'no errors, none dropped', verdict: 'good' }
  return { name: 'lost', text, note: more.join(', '), verdict: 'bad' }
}

/** The stage that would be the first to fall behind. */
function busiest({ stages }: RunReport['report']): Tile {
  const i = stages.reduce((most, { busy }, at) => (busy > (stages[most]?.busy ?? 0) ? at : most), 0)
  const { name = '', busy = 0 } = stages[i] ?? {}
  return { name: 'busiest stage', path: `report.stages.${i}.busy`, value: busy, text: percent(busy), note: name }
}

/** What is asked first: did it keep up, what was lost, where did the time go, is it right, where are the tails. */
function tilesOf({ report }: RunReport): Tile[] {
  const { balanced, gaps, verified, endToEndNanos: latency, hiccupNanos: hiccup, nonDeterministic } = report
  const hasMarket = report.books.length > 0 || report.stages.some(({ live }) => live)
  const tiles: Tile[] = [
    {
      name: 'throughput',
      path: 'report.perSecond',
      value: report.perSecond,
      text: `${short(report.perSecond)} / s`,
      note: `in ${duration(report.elapsedNanos)}`,
    },
    lost(report),
    busiest(report),
    {
      name: 'accounts',
      path: 'report.balanced',
      value: balanced,
      text: balanced ? '✓ balanced' : '✗ not balanced',
      note: balanced ? 'every record is accounted for' : 'a bug of the engine: report it',
      verdict: balanced ? 'good' : 'bad',
    },
  ]
  if (hasMarket || verified)
    tiles.push({
      name: 'book',
      path: 'report.verified',
      value: verified,
      text: verified
        ? `${verified.checked === verified.agreed ? '✓' : '✗'} ${count(verified.agreed)} of ${count(verified.checked)}`
        : 'unverified',
      note: verified ? 'quotes agree' : 'no quote to hold it to',
      ...(verified && { verdict: verified.checked === verified.agreed ? 'good' : 'bad' }),
    })
  if (hasMarket || gaps + report.leftOut > 0)
    tiles.push({
      name: 'gaps',
      path: 'report.gaps',
      value: gaps,
      text: count(gaps),
      note: `${count(report.leftOut)} messages left out`,
      ...(gaps > 0 && { verdict: 'bad' }),
    })
  tiles.push({
    name: 'repeatable',
    path: 'report.nonDeterministic',
    value: nonDeterministic,
    text: nonDeterministic.length === 0 ? 'yes' : 'no',
    note: nonDeterministic.length === 0 ? 'same input, same bytes' : 'for the reasons below',
  })
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

const tile = ({ name, path, value, text, note = '', verdict }: Tile) =>
  html`<div><dt>${name}</dt><dd class="${verdict}">${path === undefined ? text : datum({ path, value, text })}${note !== '' && html`<small>${note}</small>`}</dd></div>`

/** Of a run that did not come to its end, why: before all that is told of it. */
function failed({ failure }: RunReport): Html | undefined {
  if (!failure) return undefined
  const sentence = datum({ path: 'failure.message', value: failure.message, text: failure.message })
  return html`<p class="bad">✗ It did not come to its end: ${sentence} (${datum({ path: 'failure.code', value: failure.code, text: failure.code })})</p>`
}

function reasons({ nonDeterministic }: RunReport['report']): Html | undefined {
  if (nonDeterministic.length === 0) return undefined
  return html`<section id="reasons"><h2>Why the same input may give other bytes</h2><ul>${nonDeterministic.map((one) => html`<li>${one}</li>`)}</ul></section>`
}

/** A report of this form; what is in it is its maker's to keep right. */
export function checkReport(of: RunReport): RunReport {
  const { version } = Object(of) as Partial<RunReport>
  if (version === 1) return of
  const got = version === undefined ? of : words(`one of version ${version}`)
  return refuse('report', 'what done() of a history gave, of version 1', got)
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
${failed(of)}<dl class="tiles">${tilesOf(of).map(tile)}</dl></header>
${[reasons(of.report), latencies(of), throughput(of), fill(of), accounts(of), markets(of), placement(of), changes(of), machine(of)]}
</main>
</body>
</html>
`
  return page.text
}
