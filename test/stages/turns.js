import { BroadcastChannel } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

/** Lets nothing pass, and tells at its end how often its event loop has had its turn since its first record. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  open() {
    let begun
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    return {
      poll() {
        begun ??= { at: performance.now(), turns }
      },
      close() {
        clearInterval(timer)
        const channel = new BroadcastChannel('turns')
        channel.postMessage({ millis: performance.now() - begun.at, turns: turns - begun.turns })
        channel.close()
      },
    }
  },
})
