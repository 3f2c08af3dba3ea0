import { parentPort } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

/** Does something unusual around its work. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { what: 0 },
  open({ params: { what } }) {
    if (what === 1) setInterval(() => {}, 1000)
    if (what === 2) parentPort.postMessage(null)
    if (what === 3) throw new RangeError('no opening')
    if (what === 6) for (;;);
    return {
      poll: () => {
        if (what === 5) for (;;);
        return new Uint32Array()
      },
      close() {
        if (what === 4) throw new RangeError('no closing')
      },
    }
  },
})
