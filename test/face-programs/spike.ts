// A stage of your own is a module of its own: it runs fused in the loop of a worker.
import { defineStage, i64, record, Trade } from 'velox-engine'

export const Spike = record('Spike', { price: i64 })
export default defineStage(import.meta, {
  input: Trade,
  output: Spike,
  params: { ratio: 1.01 },
  open({ params }) {
    let last = Infinity
    return {
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) {
          const price = batch.price(i)
          if (price > last * params.ratio) out.push({ price })
          last = price
        }
        return undefined
      },
    }
  },
})
