import { setTimeout as delay } from 'node:timers/promises'
import type {
  VeloxError as AnyError,
  Batch,
  Element,
  Run as Face,
  Placement,
  Report,
  Stats,
  Topology,
  VeloxErrorCode,
  VeloxErrorContexts,
} from '../../index.js'
import { checkInteger, checkOptions, checkSignal, describe, refuse, words } from '../errors/check.js'
import { textOf } from '../errors/crossing.js'
import { VeloxError } from '../errors/velox-error.js'
import { native, nativeError, owned } from '../native.js'
import type { Hosts, Thrown } from '../stage/host.js'
import type { EndRun, RunEnd } from './own-end.js'
import { RunParams } from './params.js'
import type { ParamUse } from './plan.js'
import { type RawReport, type RawStats, reportOf, statsOf } from './report.js'

/** A run that is disposed of and has not moved a record for so long has nobody to read its last ring. */
const STILL_MILLIS = 1000

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

/** Why a run did not come to its end. */
export type Failure = Extract<AnyError, { code: 'VELOX_STAGE_FAILED' | 'VELOX_RUN_ABORTED' }>

/** A parameter of a run, and the stage that it is of where it is no expression's. */
export type RunParam = ParamUse & { readonly stage?: string }

/** Why a run was aborted, as text. */
export function reasonText(reason: unknown): string {
  if (reason === undefined) return 'abort()'
  if (reason instanceof Error) return reason.message
  return typeof reason === 'string' ? reason : describe(reason)
}

function stageFailed(stage: string, cause: unknown): Failure {
  return new VeloxError('VELOX_STAGE_FAILED', { stage }, { cause })
}

export class Run<T extends Element> implements Face<T> {
  readonly name: string
  readonly type: T
  readonly topology: Topology
  readonly params: RunParams
  readonly #slot: number
  readonly #outcome: Promise<Outcome>
  /** What the run works on lives at least as long as the run. */
  readonly #objects: readonly object[]
  readonly #ends: readonly RunEnd[]
  readonly #end: EndRun
  #placement: readonly Placement[]
  #readers = 0
  #failed: Thrown | undefined
  #ended = false
  #stops = false
  #aborts = false
  #reason: unknown
  /** The workers of its scripts. */
  #hosts: Hosts | undefined

  constructor(
    type: T,
    slot: number,
    outcome: Promise<Outcome>,
    o: { name: string; objects: readonly object[]; ends: readonly RunEnd[]; params: readonly RunParam[] },
  ) {
    this.name = o.name
    this.type = type
    this.#slot = owned(this, slot)
    this.#objects = o.objects
    this.#ends = o.ends
    this.params = new RunParams(this, slot, o.params)
    this.topology = JSON.parse(native.runTopology(slot)) as Topology
    this.#placement = this.#placed()
    this.#outcome = outcome.then((ended) => {
      this.#ended = true
      return ended
    })
    this.#end = {
      over: this.#outcome.then(({ kind }) => kind === 'done'),
      wake: () => native.runWake(slot),
      fail: (stage, error) => {
        this.#failed ??= { error, stage }
        native.runFail(slot, stage, textOf(error))
        // A worker that doesn't come back would hold up the end that it is to be told of.
        this.#hosts?.end()
      },
    }
    for (const end of this.#ends) end.serve(this.#end)
  }

  get placement(): readonly Placement[] {
    return this.#placement
  }

  #placed(): readonly Placement[] {
    return JSON.parse(native.runPlacement(this.#slot)) as Placement[]
  }

  /** The slot of a run, for what only looks at it; undefined for anything else. */
  static slotOf(run: unknown): number | undefined {
    return typeof run === 'object' && run !== null && #slot in run ? run.#slot : undefined
  }

  /** The accounts now, while the run goes and after its end. */
  now(): Stats {
    return statsOf(JSON.parse(native.runStats(this.#slot)) as RawStats)
  }

  batches(o: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Batch<T>> {
    checkOptions(o, ['signal'], 'batches')
    checkSignal('signal', o.signal)
    const end = this.#batches
    if (!end) return refuse('batches', 'a pipeline without a last step to(…)', words('one that ends in a sink'))
    return this.#read(end, o.signal)
  }

  async *#read(end: RunEnd, signal: AbortSignal | undefined): AsyncGenerator<Batch<T>> {
    if (this.#readers > 0) refuse('batches', 'one reader at a time', words('a second one'))
    this.#readers++
    end.abandon(false)
    try {
      yield* end.batches(this.#end, signal) as AsyncGenerator<Batch<T>>
      // Batches that end because the run failed are not all of them.
      if (!signal?.aborted) await this.done()
    } finally {
      this.#readers--
      if (this.#stops) this.#abandon()
    }
  }

  get #batches(): RunEnd | undefined {
    return this.#ends.find((end) => end.kind === 'batches')
  }

  /** Where nobody reads the batches, what is on its way to them can only be dropped. */
  #abandon(): void {
    if (this.#readers > 0) return
    this.#batches?.abandon(true)
    native.runWake(this.#slot)
  }

  pause(): void {
    native.runPause(this.#slot, true)
  }

  resume(): void {
    native.runPause(this.#slot, false)
  }

  /** Takes the workers of its scripts, and waits until they are ready. */
  async host(hosts: Hosts): Promise<void> {
    this.#hosts = hosts
    if (this.#stops) hosts.stop()
    void this.#outcome.then(() => hosts.end())
    await hosts.ready
    // The thread of a worker is pinned when that is up, and the system may refuse.
    this.#placement = this.#placed()
  }

  /** Whether a script has failed so far. */
  get failed(): boolean {
    return this.#hosts?.thrown !== undefined
  }

  stats(o: { everyMillis?: number } = {}): AsyncGenerator<Stats> {
    checkOptions(o, ['everyMillis'], 'stats')
    const { everyMillis = 1000 } = o
    return this.#everyMillis(checkInteger('everyMillis', everyMillis, 1, 2 ** 31 - 1))
  }

  async *#everyMillis(everyMillis: number): AsyncGenerator<Stats> {
    while (!this.#ended) {
      const timer = new AbortController()
      const tick = delay(everyMillis, undefined, { signal: timer.signal }).catch(() => {})
      await Promise.race([tick, this.#outcome])
      timer.abort()
      yield this.now()
    }
  }

  stop(): Promise<Report> {
    this.#stop()
    const done = this.done()
    // A stop that nobody waits for is an order, not a question: what the run failed of is for those who ask.
    done.catch(() => {})
    return done
  }

  #stop(): void {
    this.#stops = true
    native.runStop(this.#slot)
    this.#hosts?.stop()
    this.#abandon()
  }

  abort(reason?: unknown): void {
    if (!this.#aborts) this.#reason = reason
    this.#aborts = true
    native.runAbort(this.#slot)
    this.#hosts?.abort()
  }

  /** Waits until nothing of the run is called any more: threads, workers, callbacks. */
  async #over(): Promise<Outcome> {
    const outcome = await this.#outcome
    await this.#hosts?.ended
    await Promise.all(this.#ends.map((end) => end.through))
    return outcome
  }

  async done(): Promise<Report> {
    const { report, error } = await this.settled()
    if (error) throw error
    return report
  }

  /** The report, of a run that did not come to its end too: `error` is then what `done()` rejects with. */
  async settled(): Promise<{ readonly report: Report; readonly error: Failure | undefined }> {
    const outcome = await this.#over()
    return { report: reportOf(outcome.report), error: this.#failureOf(outcome) }
  }

  #failureOf(outcome: Outcome): Failure | undefined {
    if (outcome.kind === 'failed' && outcome.code !== 'SCRIPT')
      return stageFailed(outcome.stage, nativeError(outcome.code, outcome.context))
    const thrown = this.#failed ?? this.#hosts?.thrown
    const told = outcome.kind === 'failed' ? outcome : undefined
    if (thrown) return stageFailed(thrown.stage, thrown.error)
    if (outcome.kind === 'done') return undefined
    // Without an error of its own it is a worker that an abort had to end.
    if (told && !this.#aborts)
      return stageFailed(told.stage, new Error(String((told.context as { message?: unknown }).message)))
    const reason = reasonText(this.#reason)
    return new VeloxError('VELOX_RUN_ABORTED', { reason }, { cause: this.#reason })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    let before = this.#accounts()
    for await (const _ of this.stats({ everyMillis: STILL_MILLIS })) {
      const now = this.#accounts()
      if (now === before) this.abort('nothing moved while it was disposed of')
      before = now
    }
    await this.#over()
    void this.#objects
  }

  #accounts(): string {
    const { stages, edges } = JSON.parse(native.runStats(this.#slot)) as RawStats
    return JSON.stringify([stages.map((stage) => stage.in), edges])
  }
}
