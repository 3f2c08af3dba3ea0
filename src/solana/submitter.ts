import type { Infer, VeloxError as VeloxErrorFace } from '../../index.js'
import type {
  createSubmitter as createFace,
  Submitter as Face,
  Outcome,
  Row,
  SubmissionState,
  SubmitterStats,
} from '../../solana.js'
import { checkInteger, checkOptions, checkSignal, refuse } from '../errors/check.js'
import { TakingSink } from '../pipeline/sinks.js'
import { activeTransactions, Bundle } from '../record/bundle.js'
import { Attempt, type AttemptOf } from './attempt.js'
import { attemptsOf } from './attempts-of.js'
import { BlockhashSource } from './blockhash.js'
import { breathe } from './breathe.js'
import { Builds, type Built } from './builds.js'
import { dryRun } from './dry-run.js'
import { asFailure, fail } from './fail.js'
import { Flights } from './flights.js'
import { Halts } from './halts.js'
import { JitoClient } from './jito-client.js'
import { Journal } from './journal.js'
import { Endpoint } from './net/endpoint.js'
import { OneChain } from './net/one-chain.js'
import { Pool } from './net/pool.js'
import { Readers } from './readers.js'
import { Room } from './room.js'
import { JitoRoute, RpcRoute } from './routes.js'
import type { Reservation } from './spending.js'
import { planOf, type SubmitterPlan } from './submitter-options.js'
import { Totals } from './totals.js'

export class Submitter extends TakingSink<typeof Bundle> implements Face {
  readonly name: string
  readonly type: typeof Bundle = Bundle
  readonly #plan: SubmitterPlan
  readonly #journal: Journal | undefined
  readonly #pool: Pool
  readonly #jito: JitoClient | undefined
  readonly #halts: Halts
  readonly #room: Room
  readonly #readers = new Readers()
  readonly #totals: Totals
  readonly #flights: Flights
  readonly #blockhash: BlockhashSource
  readonly #builds: Builds
  readonly #stop = new AbortController()
  readonly #onAbort = () => void this.#end().catch(() => {})
  /** Calls of `submit` under way. */
  readonly #submits = new Set<Promise<unknown>>()
  #isClosing = false
  #shut: Promise<void> | undefined

  private constructor(plan: SubmitterPlan, journal: Journal | undefined, jito: JitoClient | undefined) {
    super()
    this.name = plan.name
    this.#plan = plan
    this.#journal = journal
    this.#jito = jito
    this.#halts = new Halts(plan.limits.books)
    const { endpoints } = plan.rpc
    const chain = endpoints.length > 1 ? new OneChain((reason) => this.halt(reason)) : undefined
    this.#pool = new Pool(endpoints.map((endpoint) => new Endpoint(endpoint, chain)))
    // Before anything is sent, and not only when it is their turn.
    for (const endpoint of this.#pool.endpoints) void endpoint.look()
    this.#room = new Room(plan.limits.maxInFlight)
    this.#totals = new Totals(plan.name)
    this.#flights = new Flights({
      plan,
      journal,
      pool: this.#pool,
      rpc: new RpcRoute(this.#pool, plan),
      bundles: jito && new JitoRoute(jito),
      halts: this.#halts,
      room: this.#room,
      readers: this.#readers,
      totals: this.#totals,
    })
    const reached = (height: bigint) => this.#flights.reached(height)
    this.#blockhash = new BlockhashSource(this.#pool, plan.blockhashMillis, reached)
    this.#builds = new Builds(plan, this.#blockhash, this.#pool, jito, this.#stop.signal)
  }

  static async create(o: Parameters<typeof createFace>[0]): Promise<Submitter> {
    const plan = planOf(o)
    const jito = o.jito === undefined ? undefined : new JitoClient(o.jito)
    const { path, fsync } = plan.journal ?? {}
    const journal =
      path !== undefined && !plan.dryRun ? await Journal.open(path, fsync ?? true, plan.limits.windowMillis) : undefined
    const submitter = new Submitter(plan, journal, jito)
    try {
      await submitter.#flights.begin(submitter.#builds)
    } catch (error) {
      await submitter.#end()
      throw error
    }
    if (plan.signal?.aborted) submitter.#onAbort()
    else plan.signal?.addEventListener('abort', submitter.#onAbort)
    return submitter
  }

  submit(records: Infer<typeof Bundle> | readonly Row[]): Promise<readonly Outcome[]> {
    const outcomes = this.#submit(records)
    this.#submits.add(outcomes)
    const done = () => void this.#submits.delete(outcomes)
    // Who closes before it waits for them must not end the process by that.
    outcomes.then(done, done)
    return outcomes
  }

  async #submit(records: Infer<typeof Bundle> | readonly Row[]): Promise<readonly Outcome[]> {
    const rows = rowsOf(records)
    if (this.#isClosing) throw this.#closed()
    const outcomes = await Promise.all(this.#builds.groups(rows).map((group) => this.#submitGroup(group)))
    return outcomes.flat()
  }

  async take(bundles: readonly Infer<typeof Bundle>[]): Promise<void> {
    const most = this.#room.most
    for (const rows of bundles.flatMap((bundle) => this.#builds.groups(rowsOf(bundle), most))) {
      const places = this.#builds.transactionsOf(rows)
      while (!this.#room.has(places) && !this.#isClosing) await this.#room.changed()
      if (this.#isClosing) throw this.#closed()
      // Its end is told to readers; what is not known at a close is in the journal.
      void this.submit(rows)
    }
  }

  async #submitGroup(rows: readonly Row[]): Promise<readonly Outcome[]> {
    const places = this.#builds.transactionsOf(rows)
    const refused = this.#full(places) ?? this.#halts.error
    if (refused) return [this.#refuse(rows, refused)]
    this.#room.take(places)
    let built: Built
    try {
      built = await this.#builds.build(rows)
    } catch (error) {
      this.#room.give(places)
      return [this.#refuse(rows, asFailure(this.name, error))]
    }
    // A builder may make more of them than it said, or fewer.
    const { length } = built.transactions
    const full = length > places ? this.#full(length - places) : undefined
    this.#room.give(full ? places : places - length)
    if (full) return [this.#refuse(rows, full)]
    const attempts = attemptsOf(rows, built, this.#jito !== undefined)
    const ends: Promise<Outcome>[] = []
    for (const of of attempts) {
      const end = this.#plan.dryRun ? this.#simulate(of) : this.#start(of)
      // It is waited for below; until then it may already have failed.
      end.catch(() => {})
      ends.push(end)
      await breathe()
    }
    return Promise.all(ends)
  }

  #full(places: number): VeloxErrorFace | undefined {
    const { most: max, taken } = this.#room
    if (this.#room.has(places)) return undefined
    return fail('VELOX_LIMIT_REACHED', { limit: 'limits.maxInFlight', max, got: taken + places })
  }

  async #start(of: AttemptOf): Promise<Outcome> {
    const end = await this.#flights.start(of)
    if (!('refused' in end)) return end
    this.#room.give(of.transactions.length)
    return this.#refuse(of.rows, end.refused)
  }

  async #simulate(of: AttemptOf): Promise<Outcome> {
    const attempt = new Attempt(of)
    let reservation: Reservation | undefined
    try {
      reservation = this.#flights.reserve(attempt.lamports)
      const result = await dryRun(this.#pool, of.transactions)
      this.#totals.simulated++
      const outcome = { ...attempt.state, ...result } as Outcome
      this.#readers.publish(outcome)
      return outcome
    } catch (error) {
      return this.#refuse(of.rows, asFailure(this.name, error))
    } finally {
      reservation?.settle(0n)
      this.#room.give(of.transactions.length)
    }
  }

  #refuse(rows: readonly Row[], error: VeloxErrorFace): Outcome {
    this.#totals.refuse()
    const ended = { state: 'failed', error, spentLamports: 0n } as const
    const outcome: Outcome = { signatures: [], records: rows.length, rows, resumed: false, ...ended }
    this.#readers.publish(outcome)
    return outcome
  }

  outcomes(o?: { all?: false; signal?: AbortSignal | undefined }): AsyncIterableIterator<Outcome>
  outcomes(o: { all: boolean; signal?: AbortSignal | undefined }): AsyncIterableIterator<SubmissionState>
  outcomes(o: { all?: boolean; signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<SubmissionState> {
    checkOptions(o, ['all', 'signal'], 'outcomes')
    checkSignal('signal', o.signal)
    return this.#readers.read(o.all === true, o.signal)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Outcome> {
    return this.outcomes()
  }

  halt(reason = 'halt()'): void {
    this.#halts.halt(reason)
    this.#flights.wake()
  }

  resume(): void {
    this.#halts.resume()
    this.#flights.wake()
  }

  get halted(): string | undefined {
    return this.#halts.reason
  }

  get metrics(): Face['metrics'] {
    return this.#totals.metrics
  }

  stats(): SubmitterStats {
    const { built, refused, simulated, spentLamports, ended, inFlight } = this.#totals
    return {
      built,
      inFlight,
      ...ended,
      refused,
      simulated,
      spentLamports,
      windowLamports: this.#flights.windowLamports,
      halted: this.halted !== undefined,
      endpoints: [...this.#pool.endpoints.map((endpoint) => endpoint.stats()), ...(this.#jito?.stats() ?? [])],
      webSockets: this.#flights.webSockets(),
    }
  }

  #closed(): VeloxErrorFace {
    return fail('VELOX_SUBMITTER_CLOSED', { open: this.#flights.size })
  }

  async close(o: { timeoutMillis?: number } = {}): Promise<void> {
    checkOptions(o, ['timeoutMillis'], 'close')
    const millis = checkInteger('timeoutMillis', o.timeoutMillis ?? 90_000, 0, 2 ** 31 - 1)
    this.#refuseNew()
    this.#flights.finish()
    if (!this.#shut) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, millis)
      })
      const all = Promise.allSettled([...this.#submits]).then(() => this.#flights.idle())
      await Promise.race([all, late])
      clearTimeout(timer)
    }
    await this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #refuseNew(): void {
    this.#isClosing = true
    // Those who wait for room learn that there will be none.
    this.#room.give(0)
  }

  /** Ends all at once; what is on its way is in the journal. */
  #end(): Promise<void> {
    this.#shut ??= (async () => {
      this.#refuseNew()
      const closed = this.#closed()
      this.#plan.signal?.removeEventListener('abort', this.#onAbort)
      this.#stop.abort(closed)
      this.#blockhash.close()
      this.#flights.close(closed)
      this.#pool.close()
      this.#jito?.close()
      this.#readers.end()
      await this.#journal?.close()
    })()
    return this.#shut
  }
}

export const createSubmitter: typeof createFace = (o) => Submitter.create(o)

function rowsOf(records: Infer<typeof Bundle> | readonly Row[]): readonly Row[] {
  if (Array.isArray(records)) return records as readonly Row[]
  if (typeof records !== 'object' || records === null || !('transactions' in records))
    return refuse('records', 'a Bundle, or an array of records', records)
  return activeTransactions(records as Infer<typeof Bundle>) as unknown as readonly Row[]
}
