import { defineStage, Trade } from 'velox-engine'

const same = (got, expected) => {
  if (got !== expected) throw new Error(`expected ${expected}, got ${got}`)
}
const refused = (f, code) => {
  try {
    f()
  } catch (error) {
    return same(error.code, code)
  }
  throw new Error(`expected ${code}, got none`)
}
/** What each batch reads first, alone; the whole records say afterwards whether it was right. */
const READS = [
  ['price'],
  ['id', 'qty'],
  [],
  ['instrument', 'side', 'exchangeTs', 'receiveTs'],
  ['receiveTs', 'price', 'side', 'qty', 'id'],
]

/** Reads other fields of each batch, and what can't be read. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  open() {
    let batches = 0
    let last
    return {
      poll(batch, out) {
        last = batch
        const { length } = batch
        const fields = READS[batches++ % READS.length]
        const values = fields.map((field) => Array.from({ length }, (_, i) => batch[field](i)))
        for (const i of [length, -1, 0.5, '0']) {
          refused(() => batch.qty(i), 'VELOX_INVALID_VALUE')
          refused(() => batch.at(i), 'VELOX_INVALID_VALUE')
        }
        // A whole record asks for all words: most batches read without.
        if (batches % 3 === 0) {
          const whole = batch.toArray()
          same(whole.length, length)
          for (const [k, field] of fields.entries())
            for (const [i, trade] of whole.entries()) same(values[k][i], trade[field])
          for (const [i, trade] of whole.entries()) same(batch.receiveTs.micros(i), Number(trade.receiveTs) / 1000)
        } else {
          for (const [k, field] of fields.entries())
            for (const [i, value] of values[k].entries()) same(batch[field](i), value)
        }
        for (let i = 0; i < length; i++) out.keep(i)
      },
      close() {
        refused(() => last.price(0), 'VELOX_STALE_BATCH')
        refused(() => last.at(0), 'VELOX_STALE_BATCH')
      },
    }
  },
})
