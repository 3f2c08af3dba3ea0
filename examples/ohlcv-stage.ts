// Bars of one second of trades: open, high, low, close and volume.
import { defineStage, i64, nanos, record, Trade, u32 } from 'velox-engine'

const SECOND = 1_000_000

export const Bar = record('Bar', { start: nanos, open: i64, high: i64, low: i64, close: i64, volume: i64, trades: u32 })

/** Gives a bar when the first trade of a later second comes: the last second of the data, which nothing ends, has none. */
export default defineStage(import.meta, {
  input: Trade,
  output: Bar,
  open() {
    let second = 0
    let bar = { open: 0, high: 0, low: 0, close: 0, volume: 0, trades: 0 }
    return {
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) {
          const [price, qty] = [batch.price(i), batch.qty(i)]
          const now = Math.floor(batch.receiveTs.micros(i) / SECOND)
          if (now > second) {
            if (bar.trades > 0) out.push({ ...bar, start: BigInt(second) * 1_000_000_000n })
            bar = { open: price, high: price, low: price, close: price, volume: 0, trades: 0 }
            second = now
          }
          bar.high = Math.max(bar.high, price)
          bar.low = Math.min(bar.low, price)
          bar.close = price
          bar.volume += qty
          bar.trades++
        }
        return undefined
      },
    }
  },
})
