import { setTimeout } from 'node:timers/promises'
import { defineStage, Trade } from 'velox-engine'

/** Closes by a promise that is kept (0) or not (1), or leaves one that nobody waits for (2). */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { how: 0 },
  open: ({ params: { how } }) => ({
    poll() {
      return new Uint32Array()
    },
    async close() {
      if (how === 2) {
        void Promise.reject(new RangeError('nobody waits'))
        return
      }
      await setTimeout(10)
      if (how === 1) throw new RangeError('no closing')
    },
  }),
})
