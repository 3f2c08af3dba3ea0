import { defineStage, Trade } from 'velox-engine'

/** Lets trades of at least so many lots pass. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 64 },
  open: ({ params: { least } }) => ({
    poll(batch, out) {
      const { length } = batch
      for (let i = 0; i < length; i++) out.keep(i, batch.qty(i) >= least)
    },
  }),
})
