import { clipped, decade, duration } from './format.js'
import { type Point, quantile } from './histogram.js'
import { type Html, html } from './html.js'

/** A curve of the chart. */
export interface Series {
  readonly label: string
  /** How it is drawn: a class of the page's style. */
  readonly look: string
  /** Where it lies in the report. */
  readonly path: string
  /** Not empty. */
  readonly curve: readonly Point[]
}

interface Layout {
  readonly kind: 'wide' | 'narrow'
  readonly width: number
  readonly height: number
  /** Room for the names at the curves' ends. */
  readonly names: number
  readonly longest: number
}

const LAYOUTS: readonly Layout[] = [
  { kind: 'wide', width: 1080, height: 420, names: 190, longest: 23 },
  { kind: 'narrow', width: 350, height: 360, names: 122, longest: 12 },
]
const LEFT = 56
const TOP = 12
const BOTTOM = 44
const LINE = 16
/** About the width of a character. */
const CHARACTER = 7
/** Shares that are marked on each curve. */
const MARKED = [0.5, 0.9, 0.99, 0.999]

/** Nines: 1 for 90 %, 2 for 99 %. The largest of n stands half a record from the end. */
const nines = (upTo: number, count: number) => Math.log10(count / Math.max(count - upTo, 0.5))
const countOf = ({ curve }: Series) => curve[curve.length - 1]?.upTo ?? 0
const shareText = (nine: number) =>
  nine === 0 ? '0' : nine < 1 ? '50 %' : `${nine === 1 ? 90 : `99${nine > 2 ? '.' : ''}${'9'.repeat(nine - 2)}`} %`

/** Places that are at least a line apart, near the wanted ones, in their order. */
function apart(wanted: readonly number[], lowest: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] as number) - (wanted[b] as number))
  const placed = [...wanted]
  let free = TOP + 4
  for (const i of order) {
    placed[i] = Math.max(placed[i] as number, free)
    free = (placed[i] as number) + LINE
  }
  let most = lowest
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i] as number, most)
    most = (placed[i] as number) - LINE
  }
  return placed
}

/** Of texts along an axis those that don't touch the one before. */
function readable(texts: readonly { x: number; text: string }[]): { x: number; text: string }[] {
  let free = Number.NEGATIVE_INFINITY
  return texts.filter(({ x, text }) => {
    const half = text.length * CHARACTER * 0.5
    if (x - half < free) return false
    free = x + half + CHARACTER
    return true
  })
}

/** The axes: from just below the 10th percentile, so that the fastest few don't press the rest together, to the longest. */
function scales(series: readonly Series[], { width, height, names }: Layout) {
  const own = series.filter(({ look }) => !look.includes('aside'))
  const lowest = Math.min(...(own.length > 0 ? own : series).map(({ curve }) => quantile(curve, 0.1)))
  const highest = Math.max(...series.map(({ curve }) => quantile(curve, 1)))
  const low = Math.floor(Math.log10(Math.max(lowest, 1)))
  const high = Math.max(Math.ceil(Math.log10(Math.max(highest, 1))), low + 1)
  const deepest = Math.max(...series.map((one) => nines(countOf(one), countOf(one))), 1)
  const [right, bottom] = [width - names, height - BOTTOM]
  const x = (nine: number) => LEFT + (nine / deepest) * (right - LEFT)
  const y = (nanos: number) => bottom - ((Math.log10(Math.max(nanos, 1)) - low) / (high - low)) * (bottom - TOP)
  return { x, y, low, high, deepest, right, bottom }
}

/** A curve's steps; those that are too small to be seen are left out. */
function lineOf({ curve }: Series, { x, y }: ReturnType<typeof scales>): string {
  const count = curve[curve.length - 1]?.upTo ?? 0
  let [path, drawn] = [`M${x(0).toFixed(1)},${y(curve[0]?.nanos ?? 0).toFixed(1)}`, '']
  for (const { upTo, nanos } of curve) {
    const [to, high] = [x(nines(upTo, count)).toFixed(1), y(nanos).toFixed(1)]
    if (to === drawn && upTo < count) continue
    path += `V${high}H${to}`
    drawn = to
  }
  return path
}

function chart(series: readonly Series[], given: Layout): Html {
  const layout = { ...given, height: Math.max(given.height, series.length * LINE + TOP + BOTTOM) }
  const { kind, width, height, longest } = layout
  const scale = scales(series, layout)
  const { x, y, low, high, deepest, right, bottom } = scale
  const ends = series.map((one) => ({ x: x(nines(countOf(one), countOf(one))), y: y(quantile(one.curve, 1)) }))
  const places = apart(
    ends.map(({ y }) => y),
    bottom,
  )
  const decades = Array.from({ length: high - low + 1 }, (_, i) => low + i)
  const shares = [0, Math.log10(2), 1, 2, 3, 4, 5, 6, 7].filter((nine) => nine <= deepest + 0.02)
  const texts = readable(shares.map((nine) => ({ x: x(nine), text: shareText(nine) })))
  const clip = `clip-${kind}`
  return html`<svg class="chart ${kind}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Latency by percentile">
<clipPath id="${clip}"><rect x="${LEFT}" y="0" width="${right - LEFT + 4}" height="${bottom}"/></clipPath>
${decades.map((d) => html`<path class="${d === low ? 'axis' : 'grid'}" d="M${LEFT},${y(10 ** d)}H${right}"/><text class="tick end" x="${LEFT - 8}" y="${y(10 ** d) + 4}">${decade(d)}</text>`)}
${shares.map((nine) => html`<path class="axis" d="M${x(nine).toFixed(1)},${bottom}v4"/>`)}
${texts.map(({ x, text }) => html`<text class="tick middle" x="${x.toFixed(1)}" y="${bottom + 18}">${text}</text>`)}
<text class="tick" x="${LEFT}" y="${bottom + 36}">share of records that took at most so long</text>
${series.map((one, i) => {
  const { x: endX, y: endY } = ends[i] as { x: number; y: number }
  const place = places[i] as number
  const marks = MARKED.filter((share) => countOf(one) * (1 - share) >= 1)
  return html`<g class="series ${one.look}" data-histogram="${one.path}"><title>${one.label}: p50 ${duration(quantile(one.curve, 0.5))}, p99 ${duration(quantile(one.curve, 0.99))}, longest ${duration(quantile(one.curve, 1))}</title>
<path class="leader" d="M${endX.toFixed(1)},${endY.toFixed(1)}L${right + 4},${place}h6"/>
<path class="line" clip-path="url(#${clip})" d="${lineOf(one, scale)}"/>
${marks.map((share) => {
  const nanos = quantile(one.curve, share)
  const hidden = nanos < 10 ** low
  return html`<circle class="mark${hidden ? ' hidden' : ''}" cx="${x(-Math.log10(1 - share)).toFixed(1)}" cy="${y(nanos).toFixed(1)}" r="2.5" data-share="${share}" data-nanos="${nanos}"><title>${one.label}, ${100 * share} %: ${duration(nanos)}</title></circle>`
})}
<path class="line" d="M${right + 10},${place}h10"/><text class="name" x="${right + 24}" y="${place + 4}">${clipped(one.label, longest)}</text></g>`
})}
</svg>`
}

/** Latency by percentile, both logarithmic: drawn for wide pages and for narrow ones, of which the page shows one. */
export function percentileChart(series: readonly Series[]): Html {
  return html`${LAYOUTS.map((layout) => chart(series, layout))}`
}
