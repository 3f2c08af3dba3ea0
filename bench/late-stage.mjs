import { BroadcastChannel } from 'node:worker_threads'
import { clock, defineStage, Trade } from 'velox-engine'

/** The filter of large-stage.mjs, which also notes how late it is through with each record, and tells it at the end. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 64, count: 0 },
  open({ params: { least, count } }) {
    const late = new Float64Array(count)
    let seen = 0
    return {
      poll(batch, out) {
        const { length } = batch
        for (let i = 0; i < length; i++) out.keep(i, batch.qty(i) >= least)
        const micros = clock.nanos() / 1000
        for (let i = 0; i < length; i++) late[seen++] = micros - batch.receiveTs.micros(i)
      },
      close() {
        const channel = new BroadcastChannel('late')
        channel.postMessage(late)
        channel.close()
      },
    }
  },
})
