import type { Level } from './book.js'
import type { Truth } from './market.js'

export type CapturedBook = Truth

interface DepthUpdate {
  readonly data: { readonly u: number; readonly b: readonly Level[]; readonly a: readonly Level[] }
}

/** Binance's captured snapshot with the depth events after it, as a snapshot of the last one. */
export function rebuild(snapshot: string, events: readonly string[], depth: number): CapturedBook {
  const { lastUpdateId, bids, asks } = JSON.parse(snapshot) as { lastUpdateId: number; bids: Level[]; asks: Level[] }
  const [bid, ask] = [new Map(bids), new Map(asks)]
  let sequence = lastUpdateId
  for (const text of events) {
    const { u, b, a } = (JSON.parse(text) as DepthUpdate).data
    if (u <= sequence) continue
    sequence = u
    for (const [side, levels] of [[bid, b] as const, [ask, a] as const]) {
      for (const [price, qty] of levels) {
        if (Number(qty) === 0) side.delete(price)
        else side.set(price, qty)
      }
    }
  }
  const best = (side: Map<string, string>, direction: 1 | -1) =>
    [...side].sort((x, y) => (Number(x[0]) - Number(y[0])) * direction).slice(0, depth)
  return { sequence, bids: best(bid, -1), asks: best(ask, 1) }
}
