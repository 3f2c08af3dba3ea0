import { defineStage, Trade } from 'velox-engine'

const passes = (all) =>
  defineStage(import.meta, {
    input: Trade,
    output: Trade,
    open: () => ({
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) out.keep(i, all)
      },
    }),
  })

export const none = passes(false)
export default passes(true)
