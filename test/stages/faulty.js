import { defineStage, Trade } from 'velox-engine'

const FAULTS = [
  () => {
    throw new RangeError('a bug of the stage')
  },
  async () => {},
  () => Uint32Array.of(1, 0),
  () => [0],
  (_, out) => out.push({ id: 1 }),
  () => process.exit(3),
  (_, out) => {
    out.keep(0)
    out.keep(0)
  },
  (batch, out) => out.keep(batch.length),
  (batch, out) => {
    out.keep(0)
    out.push(batch.at(0))
  },
  (_, out) => {
    out.qty(0, 5)
    out.keep(0, false)
  },
]

/** Does something wrong with its hundredth batch. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { fault: 0 },
  open({ params }) {
    let batches = 0
    return { poll: (batch, out) => (++batches < 3 ? new Uint32Array() : FAULTS[params.fault](batch, out)) }
  },
})
