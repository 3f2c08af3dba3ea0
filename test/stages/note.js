import { bool, defineStage, f64, nanos, record, text, u32, u64 } from 'velox-engine'

export const Note = record('Note', { id: u32, text: text(20), when: nanos, ok: bool, ratio: f64, big: u64 })

/** Copies its records: whole, and field by field. */
export default defineStage(import.meta, {
  input: Note,
  output: Note,
  open: () => ({
    poll(batch, out) {
      for (let i = 0; i < batch.length; i++) {
        if (batch.id(i) % 2 === 0) out.push(batch.at(i))
        else {
          const id = batch.id(i)
          out.push({ ...batch.at(i), id, text: batch.text(i), when: batch.when(i), ok: batch.ok(i) })
        }
      }
    },
  }),
})
