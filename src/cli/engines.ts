import type { Percentiles, StageReport, Topology } from '../../index.js'
import { call, native } from '../native.js'
import type { RawStats } from '../pipeline/report.js'

/** A run of some process of this user. */
export interface Engine {
  readonly path: string
  readonly run: string
  readonly pid: number
  readonly startedMillis: number
}

/** A file among those of the engines that is none of a running one, and why. */
export interface Refused {
  readonly path: string
  readonly reason: string
  readonly message: string
}

/** How a run ended. */
export type Outcome = 'done' | 'aborted' | 'failed'

/** What a run says at one moment; `…NowNanos`: of what was recorded since the reading before. */
export type Reading = Omit<RawStats, 'text' | 'stages'> &
  Omit<Engine, 'path'> & {
    readonly state: 'running' | Outcome
    /** Of one that has failed. */
    readonly failedStage?: string
    readonly stages: readonly (StageReport & { readonly latencyNowNanos?: Percentiles })[]
    readonly endToEndNowNanos?: Percentiles
    readonly bundleWaitNowNanos?: Percentiles
    readonly hiccupNowNanos?: Percentiles
    readonly topology: Topology
    readonly placement: readonly { readonly core?: number; readonly wait: string }[]
  }

export function findEngines(): { readonly engines: readonly Engine[]; readonly refused: readonly Refused[] } {
  const found = JSON.parse(call(() => native.metricsList())) as (Engine | Refused)[]
  return {
    engines: found.filter((one): one is Engine => !('reason' in one)),
    refused: found.filter((one): one is Refused => 'reason' in one),
  }
}

/** The metrics of one run, mapped to be read only. */
export class Attached {
  readonly path: string
  readonly #slot: number
  #isOpen = true

  /** @throws VeloxError VELOX_METRICS_REFUSED: no running engine's file of this version. */
  constructor(path: string) {
    this.path = path
    this.#slot = call(() => native.metricsAttach(path))
  }

  /**
   * Of a run that has ended since, what it said last.
   *
   * @throws VeloxError VELOX_METRICS_REFUSED: its process is gone and did not end the run, or the file was cut.
   */
  read(): Reading {
    const { text: _, ...reading } = JSON.parse(call(() => native.metricsRead(this.#slot))) as Reading & { text: string }
    return reading
  }

  close(): void {
    if (this.#isOpen) native.release(this.#slot)
    this.#isOpen = false
  }
}
