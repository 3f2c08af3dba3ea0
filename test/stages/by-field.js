import { defineStage, i64, record, u8 } from 'velox-engine'

export const Pair = record('Pair', { a: i64, b: i64, c: u8 })

/** Writes whole records of its first batch, and of the others a field of some. `skips`: of one that isn't next. */
export default defineStage(import.meta, {
  input: Pair,
  output: Pair,
  params: { skips: 0 },
  open({ params }) {
    let seen = 0
    return {
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) {
          if (seen < 2) {
            out.a(i, batch.a(i))
            out.b(i, batch.b(i))
            out.c(i, batch.c(i))
          } else out.a(i + params.skips, batch.a(i))
          seen++
        }
      },
    }
  },
})
