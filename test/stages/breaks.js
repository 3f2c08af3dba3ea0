import { defineStage, Trade } from 'velox-engine'

const BREAKS = {
  throws: () => {
    throw new RangeError('a bug of the stage')
  },
  'throws what is no error': () => {
    throw { what: 'no error', f: () => {} }
  },
  exits: () => process.exit(3),
  'throws from a timer': () => {
    setTimeout(() => {
      throw new RangeError('a bug of a timer')
    })
  },
  'rejects a promise': () => {
    Promise.reject(new RangeError('a bug of a promise'))
  },
  'never comes back': () => {
    for (;;);
  },
}
export const HOWS = Object.keys(BREAKS)

/** Breaks in one of the ways above with its third batch; passes everything on before and after. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { how: 0 },
  open({ params: { how } }) {
    let batches = 0
    return {
      poll(batch) {
        if (++batches === 3) BREAKS[HOWS[how]]()
        return Uint32Array.from({ length: batch.length }, (_, i) => i)
      },
    }
  },
})
