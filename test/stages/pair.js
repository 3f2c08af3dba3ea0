import { defineStage, i64, record, Trade, u64 } from 'velox-engine'

/** The best bids of two books when a trade came; 0 where there is none yet. */
export const Pair = record('Pair', { id: u64, spot: i64, perp: i64 })
export default defineStage(import.meta, {
  input: Trade,
  output: Pair,
  open({ books: { spot, perp } }) {
    return {
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) {
          out.id(i, batch.id(i))
          out.spot(i, spot.top()?.bid ?? 0)
          out.perp(i, perp.top()?.bid ?? 0)
        }
      },
    }
  },
})
