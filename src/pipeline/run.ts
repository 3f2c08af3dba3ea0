import { setTimeout as delay } from 'node:timers/promises'
import type { Element, Run as Face, Placement, Report, Stats, VeloxErrorCode, VeloxErrorContexts } from '../../index.js'
import { checkInteger, checkOptions, describe } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { native, owned } from '../native.js'
import type { Hosts } from '../stage/host.js'
import { type RawReport, type RawStats, reportOf, statsOf } from './report.js'

/** How a run ended, as the native side tells it. */
export type Outcome =
  | { kind: 'done'; report: RawReport }
  | { kind: 'aborted'; report: RawReport }
  | {
      kind: 'failed'
      report: RawReport
      stage: string
      code: VeloxErrorCode | 'SCRIPT'
      context: VeloxErrorContexts[VeloxErrorCode]
    }

/** Why a run was aborted, as text. */
export function reasonText(reason: unknown): string {
  if (reason === undefined) return 'abort()'
  if (reason instanceof Error) return reason.message
  return typeof reason === 'string' ? reason : describe(reason)
}

export class Run<T extends Element> implements Face<T> {
  readonly type: T
  readonly placement: readonly Placement[]
  readonly #slot: number
  readonly #outcome: Promise<Outcome>
  /** What the run works on lives at least as long as the run. */
  readonly #objects: readonly object[]
  #ended = false
  #reason: unknown
  /** The workers of its scripts. */
  #hosts: Hosts | undefined

  constructor(type: T, slot: number, outcome: Promise<Outcome>, objects: readonly object[]) {
    this.type = type
    this.#slot = owned(this, slot)
    this.#objects = objects
    this.placement = JSON.parse(native.runPlacement(slot)) as Placement[]
    this.#outcome = outcome.then((ended) => {
      this.#ended = true
      return ended
    })
  }

  /** Takes the workers of its scripts, and waits until they are ready. */
  async host(hosts: Hosts): Promise<void> {
    this.#hosts = hosts
    void this.#outcome.then(() => hosts.end())
    await hosts.ready
  }

  async *stats(o: { everyMillis?: number } = {}): AsyncGenerator<Stats> {
    checkOptions(o, ['everyMillis'], 'stats')
    const everyMillis = checkInteger('everyMillis', o.everyMillis ?? 1000, 1, 2 ** 31 - 1)
    while (!this.#ended) {
      const timer = new AbortController()
      const tick = delay(everyMillis, undefined, { signal: timer.signal }).catch(() => {})
      await Promise.race([tick, this.#outcome])
      timer.abort()
      yield statsOf(JSON.parse(native.runStats(this.#slot)) as RawStats)
    }
  }

  async stop(): Promise<Report> {
    native.runStop(this.#slot)
    return this.done()
  }

  abort(reason?: unknown): void {
    this.#reason ??= reason
    native.runAbort(this.#slot)
    this.#hosts?.end()
  }

  async done(): Promise<Report> {
    const outcome = await this.#outcome
    await this.#hosts?.ended
    const thrown = this.#hosts?.thrown
    if (outcome.kind === 'failed') {
      const { stage, code, context } = outcome
      const cause =
        code === 'SCRIPT'
          ? (thrown?.error ?? new Error(String((context as { message?: unknown }).message)))
          : new VeloxError(code, context)
      throw new VeloxError('VELOX_STAGE_FAILED', { stage }, { cause })
    }
    if (thrown) throw new VeloxError('VELOX_STAGE_FAILED', { stage: thrown.stage ?? 'stage' }, { cause: thrown.error })
    if (outcome.kind === 'done') return reportOf(outcome.report)
    const reason = reasonText(this.#reason)
    throw new VeloxError('VELOX_RUN_ABORTED', { reason }, { cause: this.#reason })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    native.runStop(this.#slot)
    await this.#outcome
    void this.#objects
  }
}
