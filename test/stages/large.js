import { defineStage, Trade } from 'velox-engine'

/** Lets trades of at least so many lots pass, by their indices. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 0 },
  open: ({ params }) => ({
    poll(batch) {
      const kept = []
      for (let i = 0; i < batch.length; i++) if (batch.qty(i) >= params.least) kept.push(i)
      return Uint32Array.from(kept)
    },
  }),
})
