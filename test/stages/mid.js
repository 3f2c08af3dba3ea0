import { defineStage, i64, record, Trade } from 'velox-engine'

/** What the book stood at when a trade came, field by field. */
export const Mid = record('Mid', { price: i64, bid: i64, ask: i64 })
export default defineStage(import.meta, {
  input: Trade,
  output: Mid,
  open: ({ books }) => ({
    poll(batch, out) {
      for (let i = 0; i < batch.length; i++) {
        const top = books.book.top()
        out.price(i, batch.price(i))
        out.bid(i, top?.bid ?? 0)
        out.ask(i, top?.ask ?? 0)
      }
    },
  }),
})
