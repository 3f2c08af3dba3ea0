import { defineStage, Trade } from 'velox-engine'

export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 64 },
  open({ params }) {
    const kept = new Uint32Array(256)
    return {
      poll(batch) {
        let count = 0
        const { length } = batch
        for (let i = 0; i < length; i++) if (batch.qty(i) >= params.least) kept[count++] = i
        return kept.subarray(0, count)
      },
    }
  },
})
