import { duration } from './format.js'
import { type Html, html } from './html.js'

/** One number over the time of a run, as a small chart. */
export interface TimeChart {
  readonly title: string
  /** The number that says most, already readable. */
  readonly figure: string
  readonly look: string
  /** Where the column that it draws lies in the report. */
  readonly path: string
  readonly seconds: readonly number[]
  /** One for each instant; drawn as what held since the instant before. */
  readonly values: readonly number[]
  /** The top of the scale, and what it is called. */
  readonly most: number
  readonly mostText: string
}

const WIDTH = 340
const HEIGHT = 104
const TOP = 18
const BOTTOM = 84

export function timeChart({ title, figure, look, path, seconds, values, most, mostText }: TimeChart): Html {
  const last = seconds[seconds.length - 1] ?? 0
  const x = (at: number) => ((at / Math.max(last, Number.EPSILON)) * WIDTH).toFixed(1)
  const y = (n: number) => (BOTTOM - (Math.min(n, most) / Math.max(most, Number.EPSILON)) * (BOTTOM - TOP)).toFixed(1)
  const line = values.map((n, i) => `V${y(n)}H${x(seconds[i] as number)}`).join('')
  return html`<figure class="small ${look}" data-column="${path}">
<figcaption><span class="title" title="${title}">${title}</span> <span class="figure">${figure}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title} over time: ${figure}">
<path class="grid" d="M0,${TOP}H${WIDTH}"/><text class="tick" x="0" y="${TOP - 6}">${mostText}</text>
<path class="area" d="M0,${BOTTOM}${line}V${BOTTOM}Z"/><path class="line" d="M0,${y(values[0] ?? 0)}${line}"/>
<path class="axis" d="M0,${BOTTOM}H${WIDTH}"/>
<text class="tick" x="0" y="${HEIGHT - 4}">0 s</text><text class="tick end" x="${WIDTH}" y="${HEIGHT - 4}">${last < 0.1 ? duration(last * 1e9) : `${last.toLocaleString('en-US', { maximumSignificantDigits: 3 })} s`}</text>
</svg></figure>`
}
