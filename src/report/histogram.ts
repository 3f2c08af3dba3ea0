import type { RunReport } from '../../metrics.js'

export type Histogram = RunReport['histograms'][number]

/** A point of a percentile curve: so many of the count took at most so long. */
export interface Point {
  readonly upTo: number
  readonly nanos: number
}

/** The curve of a histogram; `max` is exact where the last bucket's edge lies beyond it. */
export function curveOf({ buckets }: Histogram, max: number): Point[] {
  let upTo = 0
  return buckets.map(([nanos, held]) => {
    upTo += held
    return { upTo, nanos: Math.min(nanos, max) }
  })
}

/** The duration that a share of all doesn't exceed; `curve` isn't empty. */
export function quantile(curve: readonly Point[], share: number): number {
  const last = curve[curve.length - 1] as Point
  const wanted = Math.ceil(share * last.upTo)
  return (curve.find(({ upTo }) => upTo >= wanted) ?? last).nanos
}
