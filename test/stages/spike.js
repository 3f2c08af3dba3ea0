import { defineStage, i64, record, Trade, u64 } from 'velox-engine'

export const Spike = record('Spike', { id: u64, price: i64 })
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
          if (price > last * params.ratio) out.push({ id: batch.id(i), price })
          last = price
        }
      },
    }
  },
})
