import { BroadcastChannel } from 'node:worker_threads'
import { defineStage, Trade } from '../../dist/index.js'

export const CHANNEL = `velox-lifecycle-${process.pid}`

/** Passes everything on; with `busy` it tells of its first batch from inside `poll`, and is at work on it for a while. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { busy: 0 },
  open({ params: { busy } }) {
    let polls = 0
    const channel = busy ? new BroadcastChannel(CHANNEL) : undefined
    return {
      poll(batch) {
        if (channel && ++polls === 1) {
          channel.postMessage('in poll')
          for (const until = performance.now() + 30; performance.now() < until; );
        }
        return Uint32Array.from({ length: batch.length }, (_, i) => i)
      },
    }
  },
})
