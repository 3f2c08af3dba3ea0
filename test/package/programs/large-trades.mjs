import { defineStage, Trade } from 'velox-engine'

export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 5 },
  open: ({ params }) => ({
    poll(batch, out) {
      for (let i = 0; i < batch.length; i++) out.keep(i, batch.qty(i) >= params.least)
      return undefined
    },
  }),
})
