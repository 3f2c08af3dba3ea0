import { defineStage, Trade } from 'velox-engine'

/** Prints a lot when it closes. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  open: () => ({
    poll: () => new Uint32Array(),
    close() {
      for (let i = 0; i < 200; i++) console.log(`closed ${i}`)
    },
  }),
})
