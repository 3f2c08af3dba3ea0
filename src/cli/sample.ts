import type { EdgeReport, ThreadReport } from '../../index.js'
import type { Outcome, Reading } from './engines.js'

/** `gone`: its process is there no more, and did not end the run. */
export type State = 'running' | 'ended' | 'gone'

interface StageRates {
  readonly inPerSecond: number
  readonly outPerSecond: number
  readonly busyNow: number
  /** Of a live market. */
  readonly messagesPerSecond?: number
}

/** A reading, and what happened since the one before: of the first one, since the run's start. */
export type Sample = Omit<Reading, 'stages' | 'edges' | 'threads' | 'state'> & {
  readonly timeMillis: number
  readonly state: State
  /** How it ended, of a run that has. */
  readonly outcome?: Outcome
  /** Why it is gone. */
  readonly message?: string
  readonly stages: readonly (Reading['stages'][number] & StageRates)[]
  readonly edges: readonly (EdgeReport & { fill: number; pushedPerSecond: number; droppedPerSecond: number })[]
  readonly threads: readonly (ThreadReport & { busyNow: number })[]
}

export function sampleOf(now: Reading, before: Reading | undefined, timeMillis: number): Sample {
  const from = before?.elapsedNanos ?? 0
  const nanos = now.elapsedNanos - from
  const share = (busyNanos: number) => (nanos > 0 ? Math.min(1, Math.max(0, busyNanos / nanos)) : 0)
  // Both are shares of the run's time until then.
  const busyNow = (busy: number, then = 0) => share(busy * now.elapsedNanos - then * from)
  const perSecond = (count: number, then = 0) => (nanos > 0 ? Math.max(0, count - then) / (nanos / 1e9) : 0)
  const { state, stages, edges, threads, topology, ...rest } = now
  return {
    timeMillis,
    state: state === 'running' ? state : 'ended',
    ...(state !== 'running' && { outcome: state }),
    ...rest,
    topology,
    stages: stages.map((stage, i) => ({
      ...stage,
      inPerSecond: perSecond(stage.in, before?.stages[i]?.in),
      outPerSecond: perSecond(stage.out, before?.stages[i]?.out),
      busyNow: busyNow(stage.busy, before?.stages[i]?.busy),
      ...(stage.live && { messagesPerSecond: perSecond(stage.live.messages, before?.stages[i]?.live?.messages) }),
    })),
    edges: edges.map((edge, i) => ({
      ...edge,
      // Of what it holds at most.
      fill: edge.inFlight / Math.max(1, topology.edges[i]?.capacity ?? 0),
      pushedPerSecond: perSecond(edge.pushed, before?.edges[i]?.pushed),
      droppedPerSecond: perSecond(edge.dropped, before?.edges[i]?.dropped),
    })),
    threads: threads.map((thread, i) => ({ ...thread, busyNow: busyNow(thread.busy, before?.threads[i]?.busy) })),
  }
}
