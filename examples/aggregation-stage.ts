// Section 3 of the founding document: what was traded at each instrument, side and price within a window.
import { defineStage, type Infer, i64, record, side, Transaction, u16, u32, u64 } from 'velox-engine'

export const LevelVolume = record('LevelVolume', { instrument: u16, side, price: i64, size: u64, count: u32 })

/** Closes a window at `max` transactions or `windowMicros` after its first. A transaction of size 0 only closes it. */
export default defineStage(import.meta, {
  input: Transaction,
  output: LevelVolume,
  params: { max: 256, windowMicros: 100_000 },
  open({ params: { max, windowMicros } }) {
    const levels = new Map<string, Infer<typeof LevelVolume>>()
    let [transactions, end] = [0, 0n]
    return {
      poll(batch, out) {
        const close = () => {
          for (const level of levels.values()) out.push(level)
          levels.clear()
          transactions = 0
        }
        for (const { instrument, side, price, size, ingressTsNs } of batch.toArray()) {
          if (size === 0 || ingressTsNs >= end) close()
          if (size === 0) continue
          if (transactions === 0) end = ingressTsNs + BigInt(windowMicros) * 1000n
          const key = `${instrument} ${side} ${price}`
          const before = levels.get(key) ?? { size: 0, count: 0 }
          levels.set(key, { instrument, side, price, size: before.size + size, count: before.count + 1 })
          if (++transactions === max) close()
        }
        return undefined
      },
    }
  },
})
