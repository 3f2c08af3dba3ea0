import { BroadcastChannel } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

/** Lets nothing pass, and tells at its end how often its event loop has had its turn since its first record, and what the longest time between two was. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  open() {
    let begun
    let turns = 0
    let last
    let longest = 0
    const timer = setInterval(() => {
      turns++
      const now = performance.now()
      if (begun) longest = Math.max(longest, now - last)
      last = now
    }, 1)
    return {
      poll() {
        if (begun) return
        last = performance.now()
        begun = { at: last, turns }
      },
      close() {
        clearInterval(timer)
        const channel = new BroadcastChannel('turns')
        channel.postMessage({ millis: performance.now() - begun.at, turns: turns - begun.turns, longest })
        channel.close()
      },
    }
  },
})
