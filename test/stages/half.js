import { defineStage, Trade } from 'velox-engine'

/** Throws in the middle of its third batch of many, when it has written half of it by `push`, or with `keeps` has kept half of it. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { keeps: 0 },
  open({ params: { keeps } }) {
    let batches = 0
    return {
      poll(batch, out) {
        if (batch.length > 10) batches++
        for (let i = 0; i < batch.length; i++) {
          if (keeps > 0) out.keep(i)
          else out.push(batch.at(i))
          if (batches === 3 && i >= batch.length / 2) throw new RangeError('in the middle')
        }
      },
    }
  },
})
