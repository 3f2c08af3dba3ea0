import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BroadcastChannel } from 'node:worker_threads'
import { defineStage, Trade } from 'velox-engine'

/**
 * A filter, or with `writes` a copy field by field, that tells at its end what its thread allocated and collected since it was
 * warm, and how often it had its turn.
 */
export default defineStage(import.meta, {
  input: Trade,
  output: Trade,
  params: { least: 64, writes: 0, warm: 0, end: 0 },
  open({ params: { least, writes, warm, end } }) {
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
        if (writes > 0) {
          for (let i = 0; i < length; i++) {
            out.id(i, batch.id(i))
            out.instrument(i, batch.instrument(i))
            out.side(i, batch.side(i))
            out.price(i, batch.price(i))
            out.qty(i, batch.qty(i))
          }
        } else for (let i = 0; i < length; i++) out.keep(i, batch.qty(i) >= least)
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
