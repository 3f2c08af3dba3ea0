import type { RunReport } from '../../metrics.js'
import { count, duration, percent } from './format.js'
import { type Html, html } from './html.js'
import { type Cell, datum, table } from './tables.js'

const cell = (path: string, value: unknown, text: string): Cell => ({ path, value, text })
const LIVE = ['state', 'messages', 'connections', 'gaps', 'checksums', 'errors', 'overflows', 'dropped'] as const

/** How the books and live markets stand at the end. */
export function markets({ report }: RunReport): Html | undefined {
  const books = report.books.map(({ name, symbol, state, sequence }, i) => [
    name,
    cell(`report.books.${i}.symbol`, symbol, symbol),
    cell(`report.books.${i}.state`, state, state),
    cell(`report.books.${i}.sequence`, sequence, String(sequence)),
  ])
  const live = report.stages.flatMap(({ name, live }, i) => {
    if (!live) return []
    const numbers = LIVE.map((key) => {
      const value = live[key]
      return cell(`report.stages.${i}.live.${key}`, value, typeof value === 'string' ? value : count(value))
    })
    return [[name, ...numbers, live.lastError ?? '']]
  })
  const wrong = report.verified?.firstDisagreement
  if (books.length + live.length === 0) return undefined
  return html`<section id="markets"><h2>Books</h2>
${books.length > 0 && table('Books', ['book', 'symbol', 'state', 'last sequence'], books)}
${live.length > 0 && table('Live markets', ['live market', ...LIVE, 'last error'], live)}
${wrong !== undefined && html`<p>The first quote that the book disagrees with: ${wrong}</p>`}</section>`
}

/** Which threads ran what, and why. */
export function placement({ report }: RunReport): Html {
  const rows = report.placement.map(({ core, stages, wait, why }, i) => {
    const thread = report.threads[i]
    const { count: stalls = 0, maxNanos = 0 } = thread?.stalls ?? {}
    return [
      String(i + 1),
      cell(`report.placement.${i}.stages`, stages, stages.join(', ')),
      cell(`report.placement.${i}.core`, core, core === undefined ? 'any' : String(core)),
      cell(`report.placement.${i}.wait`, wait, wait),
      cell(`report.threads.${i}.busy`, thread?.busy, thread ? percent(thread.busy) : ''),
      cell(
        `report.threads.${i}.stalls`,
        thread?.stalls,
        stalls > 0 ? `${count(stalls)}, up to ${duration(maxNanos)}` : '0',
      ),
      cell(`report.placement.${i}.why`, why, why),
    ]
  })
  const heads = ['thread', 'stages', 'core', 'wait', 'busy', 'stalls', 'why']
  return html`<section id="placement"><h2>Placement</h2>${table('Placement', heads, rows, true)}</section>`
}

/** Parameters that were set while it went; nothing where none was. */
export function changes({ report }: RunReport): Html | undefined {
  if (report.paramChanges.length === 0) return undefined
  const rows = report.paramChanges.map(({ stage, param, value, atRecord }, i) => [
    param,
    cell(`report.paramChanges.${i}.stage`, stage, stage),
    cell(`report.paramChanges.${i}.value`, value, String(value)),
    cell(`report.paramChanges.${i}.atRecord`, atRecord, count(atRecord)),
  ])
  const heads = ['parameter', 'stage', 'set to', 'after records']
  return html`<section id="changes"><h2>Parameters that were set</h2>${table('Parameters', heads, rows)}</section>`
}

export function machine({ machine: m }: RunReport): Html {
  const facts = [
    ['processor', 'processor', m.processor],
    ['processors it may use', 'cores', count(m.cores)],
    ['memory', 'memoryBytes', `${(m.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['system', 'system', m.system],
    ['architecture', 'architecture', m.architecture],
    ['runtime', 'runtime', m.runtime],
    ['velox-engine', 'engine', m.engine],
    ['clock', 'clock', m.clock],
  ] as const
  return html`<section id="machine"><h2>Machine</h2><dl class="facts">${facts.map(([name, key, text]) => {
    return html`<div><dt>${name}</dt><dd>${datum({ path: `machine.${key}`, value: m[key], text })}</dd></div>`
  })}</dl></section>`
}
