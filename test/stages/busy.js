import { defineStage, Trade } from 'velox-engine'

/** Is at work on its first batch for so long, and passes everything on. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { millis: 0 },
  open({ params: { millis } }) {
    let left = millis
    return {
      poll(batch) {
        for (const until = performance.now() + left; performance.now() < until; );
        left = 0
        return Uint32Array.from({ length: batch.length }, (_, i) => i)
      },
    }
  },
})
