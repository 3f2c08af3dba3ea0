// Section 3 of the founding document: a stage that lets transactions of certain prices pass.
import { defineStage, Transaction } from 'velox-engine'

export default defineStage(import.meta, {
  input: Transaction,
  output: Transaction,
  params: { minPrice: 950_000, maxPrice: 1_050_000 }, // $95.00 to $105.00
  open({ params }) {
    return {
      poll(batch, out) {
        for (let i = 0; i < batch.length; i++) {
          const price = batch.price(i)
          out.keep(i, price >= params.minPrice && price <= params.maxPrice)
        }
        return undefined
      },
    }
  },
})
