// Section 5 of the founding document: a risk check with metrics around its work.
import { type Batch, clock, defineStage, report, StageMetrics, Transaction } from 'velox-engine'

const metrics = new StageMetrics('Risk Check')

/** Does what `poll` does, and counts what becomes of its records: those that pass with their latency, the rest as drops. */
function monitored(poll: (batch: Batch<typeof Transaction>) => Uint32Array) {
  return (batch: Batch<typeof Transaction>): Uint32Array => {
    const start = clock.nanos()
    const kept = poll(batch)
    const end = clock.nanos()
    for (let i = 0; i < kept.length; i++) metrics.recordProcessing(Math.round((end - start) / batch.length))
    for (let i = kept.length; i < batch.length; i++) metrics.recordDrop()
    return kept
  }
}

export default defineStage(import.meta, {
  input: Transaction,
  output: Transaction,
  params: { maxSize: 100 },
  open: ({ params: { maxSize } }) => {
    // Once a second, in the turns of this thread's event loop.
    const reporter = report([metrics], { export: (name, snapshot) => snapshot.print(name) }, { everyMillis: 1000 })
    return {
      poll: monitored((batch) => {
        const kept = new Uint32Array(batch.length)
        let count = 0
        for (let i = 0; i < batch.length; i++) if (batch.size(i) <= maxSize) kept[count++] = i
        return kept.subarray(0, count)
      }),
      close() {
        void reporter.close()
        const { processed, dropped } = metrics.snapshot()
        console.log(`${metrics.name} - Processed: ${processed}, Dropped: ${dropped}`)
      },
    }
  },
})
