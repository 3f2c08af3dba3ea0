import type { Report, Stats, Topology } from '../../index.js'
import type { history as Face, RunReport } from '../../metrics.js'
import { checkInteger, checkOptions, refuse } from '../errors/check.js'
import { native } from '../native.js'
import { type Failure, Run } from '../pipeline/run.js'
import type { Histogram } from './histogram.js'
import { machine } from './machine.js'

/** More instants than a chart has room for are halved, and from then on half as many are kept. */
const MOST = 512
const EVERY_MILLIS = 100

type Columns = RunReport['history']
type Instant = Pick<Stats, 'elapsedNanos' | 'stages' | 'edges'>

/** Instants of a run, at most {@link MOST}, evenly apart however long it goes. */
class Instants {
  #kept: Instant[] = []
  #stride = 1
  #seen = 0

  add({ elapsedNanos, stages, edges }: Stats): void {
    if (this.#seen++ % this.#stride !== 0) return
    this.#kept.push({ elapsedNanos, stages, edges })
    if (this.#kept.length < MOST) return
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0)
    this.#stride *= 2
  }

  /** All by columns, the end of the run as the last; an instant so shortly before it that a rate would be noise is left out. */
  columns(report: Report, everyMillis: number, { stages, edges }: Topology): Columns {
    const spaced = everyMillis * this.#stride
    const last = Number(report.elapsedNanos) - spaced * 5e5
    const all: Instant[] = [...this.#kept.filter(({ elapsedNanos }) => Number(elapsedNanos) < last), report]
    return {
      everyMillis: spaced,
      elapsedNanos: all.map(({ elapsedNanos }) => Number(elapsedNanos)),
      stages: stages.map((name, i) => ({ name, in: all.map(({ stages }) => stages[i]?.in ?? 0) })),
      edges: report.edges.map(({ from, to }, i) => {
        const capacity = edges[i]?.capacity ?? 0
        const inFlight = all.map(({ edges }) => edges[i]?.inFlight ?? 0)
        return { from, to, capacity, inFlight }
      }),
    }
  }
}

function failureOf(error: Failure): NonNullable<RunReport['failure']> {
  const { code, message, context } = error
  return { code, message, ...('stage' in context && { stage: context.stage }) }
}

export const history: typeof Face = (run, o = {}) => {
  checkOptions(o, ['everyMillis'], 'history')
  const everyMillis = checkInteger('everyMillis', o.everyMillis ?? EVERY_MILLIS, 1, 2 ** 31 - 1)
  const slot = Run.slotOf(run)
  if (slot === undefined || !(run instanceof Run)) return refuse('run', 'what start() of a pipeline gave', run)
  const startedAt = new Date().toISOString()
  const instants = new Instants()
  const sampled = (async () => {
    for await (const stats of run.stats({ everyMillis })) instants.add(stats)
  })()
  // What it fails of is told to whoever asks for the report.
  sampled.catch(() => {})
  const settled = async (): Promise<RunReport> => {
    const { report, error } = await run.settled()
    await sampled
    return {
      version: 1,
      run: run.name,
      startedAt,
      ...(error && { failure: failureOf(error) }),
      machine: machine(),
      report: JSON.parse(JSON.stringify(report)) as RunReport['report'],
      topology: run.topology,
      histograms: JSON.parse(native.runHistograms(slot)) as Histogram[],
      history: instants.columns(report, everyMillis, run.topology),
    }
  }
  return {
    settled,
    async done() {
      await run.done()
      return settled()
    },
  }
}
