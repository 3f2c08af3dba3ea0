import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BroadcastChannel } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

/** A filter that tells at its end what its thread allocated and collected since it was warm, and how often it had its turn. */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 64, warm: 0, end: 0 },
  open({ params: { least, warm, end } }) {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    let seen = 0
    let scavenges = 0
    let begun
    let told
    const observer = new PerformanceObserver((list) => {
      for (const { startTime, detail } of list.getEntries()) {
        if (begun && startTime > begun.at && detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) scavenges++
      }
    })
    observer.observe({ entryTypes: ['gc'] })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const now = () => ({ at: performance.now(), heap: process.memoryUsage().heapUsed, turns, seen })
    return {
      poll(batch, out) {
        const { length } = batch
        for (let i = 0; i < length; i++) out.keep(i, batch.qty(i) >= least)
        seen += length
        if (!begun && seen >= warm) {
          collect()
          begun = now()
        }
        if (!told && seen >= end) told = now()
      },
      close() {
        clearInterval(timer)
        const channel = new BroadcastChannel('quiet')
        channel.postMessage({
          records: told.seen - begun.seen,
          grown: told.heap - begun.heap,
          millis: told.at - begun.at,
          turns: told.turns - begun.turns,
          scavenges,
        })
        channel.close()
      },
    }
  },
})
