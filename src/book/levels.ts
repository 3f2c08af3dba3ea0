import type { Level } from '../../index.js'

/** `[bids, price, qty, …]` as the native side gives it, as levels. */
export function depthOf(flat: readonly number[]): { bids: Level[]; asks: Level[] } {
  const [bidCount = 0] = flat
  const bids: Level[] = []
  const asks: Level[] = []
  for (let i = 1; i + 1 < flat.length; i += 2) {
    const level = { price: flat[i] as number, qty: flat[i + 1] as number }
    if (bids.length < bidCount) bids.push(level)
    else asks.push(level)
  }
  return { bids, asks }
}
