import type { Infer, VeloxError as VeloxErrorFace } from '../../index.js'
import type {
  createSubmitter as createFace,
  Submitter as Face,
  Outcome,
  Row,
  SignedTransaction,
  SubmissionState,
  SubmitterStats,
} from '../../solana.js'
import { checkInteger, checkOptions, checkSignal, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { TakingSink } from '../pipeline/sinks.js'
import { activeTransactions, Bundle } from '../record/bundle.js'
import { Attempt, type AttemptOf, isOutcome } from './attempt.js'
import { BlockhashSource } from './blockhash.js'
import { Builds } from './builds.js'
import { bundleIdOf } from './bundle-id.js'
import { Courier } from './courier.js'
import { dryRun } from './dry-run.js'
import { Halts } from './halts.js'
import { JitoClient } from './jito-client.js'
import { Journal } from './journal.js'
import type { JournalEntry } from './journal-entries.js'
import { Endpoint } from './net/endpoint.js'
import { Pool } from './net/pool.js'
import { Readers } from './readers.js'
import { recovered } from './recovery.js'
import { Room } from './room.js'
import { JitoRoute, RpcRoute } from './routes.js'
import { SeenSignatures } from './seen-signatures.js'
import { SignatureFeed } from './signature-feed.js'
import { Slice } from './slice.js'
import { type Reservation, Spending } from './spending.js'
import { planOf, type SubmitterPlan } from './submitter-options.js'
import { Totals } from './totals.js'
import { Tracker } from './tracker.js'

/** What is known of an attempt on its way. */
interface Open {
  readonly reservation: Reservation
  /** How often it may be signed again. */
  readonly signAgain: number
  readonly end: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

const NEVER = 2n ** 64n - 1n

type Ended = Exclude<Outcome, { state: 'simulated' }>

export class Submitter extends TakingSink<typeof Bundle> implements Face {
  readonly name: string
  readonly type: typeof Bundle = Bundle
  readonly #plan: SubmitterPlan
  readonly #journal: Journal | undefined
  readonly #pool: Pool
  readonly #jito: JitoClient | undefined
  readonly #halts: Halts
  readonly #room: Room
  readonly #spending: Spending
  readonly #readers = new Readers()
  readonly #totals: Totals
  readonly #tracker: Tracker
  readonly #courier: Courier
  readonly #blockhash: BlockhashSource
  readonly #builds: Builds
  readonly #open = new Map<Attempt, Open>()
  readonly #stop = new AbortController()
  readonly #feeds: SignatureFeed[] = []
  readonly #signatures = new SeenSignatures()
  readonly #onAbort = () => void this.#end()
  #height = 0n
  /** Calls of `submit` under way. */
  #submits = 0
  #isClosing = false
  #idle: (() => void)[] = []
  #shut: Promise<void> | undefined

  private constructor(plan: SubmitterPlan, journal: Journal | undefined, jito: JitoClient | undefined) {
    super()
    this.name = plan.name
    this.#plan = plan
    this.#journal = journal
    this.#jito = jito
    this.#pool = new Pool(plan.rpc.endpoints.map((endpoint) => new Endpoint(endpoint)))
    this.#halts = new Halts(plan.limits.books)
    this.#room = new Room(plan.limits.maxInFlight)
    this.#spending = new Spending(plan.limits.maxLamports, plan.limits.windowMillis)
    this.#totals = new Totals(plan.name)
    this.#tracker = new Tracker(
      this.#pool,
      {
        seen: (attempt, place, seen) => this.#became(attempt, attempt.seen(place, seen)),
        gone: (attempt, place) => this.#became(attempt, attempt.gone(place)),
      },
      plan,
    )
    const rpc = new RpcRoute(this.#pool, plan)
    const bundles = jito && new JitoRoute(jito)
    this.#courier = new Courier({
      resendMillis: plan.resendMillis,
      routeOf: ({ of: { bundleId } }) => (bundleId === undefined ? rpc : bundles),
      halted: () => this.#halts.error,
      height: () => this.#height,
      sent: (attempt, to) => this.#became(attempt, attempt.sent(to)),
      refused: (attempt, error) => this.#became(attempt, attempt.refused(error)),
    })
    this.#blockhash = new BlockhashSource(this.#pool, plan.blockhashMillis, (height) => {
      if (height > this.#height) this.#height = height
      this.#tracker.reached(height)
      this.#signatures.reached(height)
    })
    this.#builds = new Builds(plan, this.#blockhash, this.#pool, jito, this.#stop.signal)
  }

  static async create(o: Parameters<typeof createFace>[0]): Promise<Submitter> {
    const plan = planOf(o)
    const jito = o.jito === undefined ? undefined : new JitoClient(o.jito)
    const journal =
      plan.journal && !plan.dryRun
        ? await Journal.open(plan.journal.path, plan.journal.fsync, plan.limits.windowMillis)
        : undefined
    const submitter = new Submitter(plan, journal, jito)
    try {
      await submitter.#begin()
    } catch (error) {
      await submitter.#end()
      throw error
    }
    return submitter
  }

  async #begin(): Promise<void> {
    const { rpc, commitment, signal } = this.#plan
    for (const url of rpc.sockets)
      this.#feeds.push(await SignatureFeed.open(url, commitment, () => this.#tracker.wake()))
    const entries = this.#journal?.entries ?? []
    for (const entry of entries) {
      if (entry.kind !== 'built') continue
      const signatures = entry.transactions.map(({ signature }) => signature)
      this.#signatures.add(signatures, BigInt(entry.lastValidBlockHeight))
    }
    const { open, spent } = recovered(entries)
    this.#spending.restore(spent)
    for (const { transactions, lastValidBlockHeight, bundleId } of open) {
      const attempt = new Attempt({
        transactions: transactions.map((one) => ({
          ...one,
          lamports: BigInt(one.lamports),
          tipLamports: BigInt(one.tipLamports),
        })),
        lastValidBlockHeight: BigInt(lastValidBlockHeight),
        bundleId,
        rows: [],
        resumed: true,
      })
      this.#room.take(transactions.length)
      // Nobody waits for it but readers.
      this.#launch(attempt, this.#spending.hold(attempt.lamports), 0).catch(() => {})
    }
    if (signal?.aborted) void this.#end()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  // ---- records in

  submit(records: Infer<typeof Bundle> | readonly Row[]): Promise<readonly Outcome[]> {
    const outcomes = this.#submit(records)
    // Who closes before it waits for them must not end the process by that.
    outcomes.catch(() => {})
    return outcomes
  }

  async #submit(records: Infer<typeof Bundle> | readonly Row[]): Promise<readonly Outcome[]> {
    const rows = rowsOf(records)
    if (this.#isClosing) throw this.#closed()
    this.#submits++
    try {
      const outcomes = await Promise.all(this.#builds.groups(rows).map((group) => this.#submitGroup(group)))
      return outcomes.flat()
    } finally {
      this.#submits--
      this.#settle()
    }
  }

  async take(bundles: readonly Infer<typeof Bundle>[]): Promise<void> {
    for (const bundle of bundles) {
      const rows = rowsOf(bundle)
      const places = Math.min(this.#room.most, this.#builds.transactionsOf(rows))
      while (!this.#room.has(places) && !this.#isClosing) await this.#room.changed()
      if (this.#isClosing) throw this.#closed()
      // Its end is told to readers; what is not known at a close is in the journal.
      void this.submit(rows)
    }
  }

  async #submitGroup(rows: readonly Row[]): Promise<readonly Outcome[]> {
    const places = this.#builds.transactionsOf(rows)
    const refused = this.#admission(places)
    if (refused) return [this.#refuse(rows, refused)]
    this.#room.take(places)
    let attempts: readonly AttemptOf[]
    try {
      attempts = this.#attemptsOf(rows, await this.#builds.build(rows))
    } catch (error) {
      this.#room.give(places)
      return [this.#refuse(rows, this.#asError(error))]
    }
    this.#room.take(attempts.reduce((sum, { transactions }) => sum + transactions.length, -places))
    const slice = new Slice()
    const ends: Promise<Outcome>[] = []
    for (const of of attempts) {
      const end = this.#start(of)
      // It is waited for below; until then it may already have failed.
      end.catch(() => {})
      ends.push(end)
      await slice.rest()
    }
    return Promise.all(ends)
  }

  /** Why nothing new is sent now. */
  #admission(places: number): VeloxErrorFace | undefined {
    if (this.#isClosing) return this.#closed()
    const { most, taken } = this.#room
    if (!this.#room.has(places))
      return error('VELOX_LIMIT_REACHED', { limit: 'limits.maxInFlight', max: most, got: taken + places })
    return this.#halts.error
  }

  #attemptsOf(
    rows: readonly Row[],
    built: { transactions: readonly SignedTransaction[]; lastValidBlockHeight: bigint },
  ): AttemptOf[] {
    // No block height ends what lives by a durable nonce.
    const lastValidBlockHeight = built.transactions.some(({ hasNonce }) => hasNonce)
      ? NEVER
      : built.lastValidBlockHeight
    const transactions = built.transactions.map(({ wire: _, hasNonce: __, ...signed }) => signed)
    if (this.#jito) {
      const bundleId = bundleIdOf(transactions.map(({ signature }) => signature))
      return [{ transactions, lastValidBlockHeight, rows, bundleId, resumed: false }]
    }
    let at = 0
    return transactions.map((one) => {
      const own = rows.slice(at, at + one.records)
      at += one.records
      return { transactions: [one], lastValidBlockHeight, rows: own, resumed: false }
    })
  }

  /** What is signed is reserved, written down, and sent; in this order. */
  async #start(of: AttemptOf, signAgain: number = this.#plan.signAgain): Promise<Outcome> {
    const attempt = new Attempt(of)
    const places = of.transactions.length
    const back = (why: VeloxErrorFace) => {
      this.#room.give(places)
      return this.#refuse(of.rows, why)
    }
    if (!this.#isNew(of)) return back(twin(of.rows))
    const unsent = (why: VeloxErrorFace) => {
      this.#signatures.forget(signaturesOf(of))
      return back(why)
    }
    const reservation = this.#spending.reserve(attempt.lamports)
    if ('exceeds' in reservation) {
      const { maxLamports } = this.#plan.limits
      return unsent(
        error('VELOX_LIMIT_REACHED', { limit: 'limits.maxLamports', max: maxLamports, got: reservation.exceeds }),
      )
    }
    if (this.#plan.dryRun) {
      const result = await dryRun(this.#pool, of.transactions)
      reservation.settle(0n)
      this.#room.give(places)
      this.#signatures.forget(signaturesOf(of))
      this.#totals.simulated++
      const outcome = { ...attempt.state, ...result } as Outcome
      this.#readers.publish(outcome)
      return outcome
    }
    try {
      await this.#write(entryOf(attempt))
    } catch (failure) {
      reservation.settle(0n)
      return unsent(failure as VeloxErrorFace)
    }
    return this.#launch(attempt, reservation, signAgain)
  }

  #isNew(of: AttemptOf): boolean {
    return this.#signatures.add(signaturesOf(of), of.lastValidBlockHeight)
  }

  #launch(attempt: Attempt, reservation: Reservation, signAgain: number): Promise<Outcome> {
    if (this.#shut) return Promise.reject(this.#closed())
    return new Promise((end, fail) => {
      this.#open.set(attempt, { reservation, signAgain, end, fail })
      this.#totals.built++
      this.#readers.publish(attempt.state)
      this.#tracker.add(attempt)
      for (const { signature } of attempt.of.transactions) for (const feed of this.#feeds) feed.add(signature)
      void this.#courier.carry(attempt)
    })
  }

  // ---- what became of it

  #became(attempt: Attempt, state: SubmissionState | undefined): void {
    if (!state) return
    if (!isOutcome(state)) {
      this.#readers.publish(state)
      return
    }
    const open = this.#open.get(attempt) as Open
    this.#tracker.remove(attempt)
    for (const { signature } of attempt.of.transactions) for (const feed of this.#feeds) feed.remove(signature)
    this.#courier.wake(attempt)
    if (state.state === 'expired' && open.signAgain > 0 && !this.#isClosing && attempt.of.rows.length > 0)
      void this.#again(attempt, open)
    else this.#ended(attempt, open, state as Ended)
  }

  /** Signs what has expired anew: by what the journal gets, the old one has ended. */
  async #again(attempt: Attempt, open: Open): Promise<void> {
    const { rows } = attempt.of
    open.reservation.settle(0n)
    try {
      const halted = this.#halts.error
      if (halted) throw halted
      const [of, ...more] = this.#attemptsOf(rows, await this.#builds.build(rows))
      if (!of || more.length > 0) throw error('VELOX_STAGE_FAILED', { stage: this.name })
      if (!this.#isNew(of)) throw twin(rows)
      const next = new Attempt({ ...of, replaces: attempt.id })
      const reservation = this.#spending.reserve(next.lamports)
      if ('exceeds' in reservation) {
        const { maxLamports } = this.#plan.limits
        throw error('VELOX_LIMIT_REACHED', { limit: 'limits.maxLamports', max: maxLamports, got: reservation.exceeds })
      }
      await this.#write(entryOf(next)).catch((failure: unknown) => {
        reservation.settle(0n)
        throw failure
      })
      this.#open.delete(attempt)
      const expired = attempt.replacedBy(next.id) as Ended
      this.#totals.end(attempt, expired)
      this.#readers.publish(expired)
      this.#launch(next, reservation, open.signAgain - 1).then(open.end, open.fail)
    } catch (why) {
      attempt.error = this.#asError(why)
      this.#ended(attempt, open, { ...(attempt.state as Ended & { state: 'expired' }), error: attempt.error })
    }
  }

  #ended(attempt: Attempt, open: Open, outcome: Ended): void {
    const spent = outcome.state === 'expired' ? 0n : outcome.spentLamports
    this.#open.delete(attempt)
    if (!attempt.mayLand) this.#signatures.forget(signaturesOf(attempt.of))
    open.reservation.settle(spent)
    this.#room.give(attempt.of.transactions.length)
    this.#totals.end(attempt, outcome)
    // Without this entry a restart asks again and finds the same end.
    const entry = {
      kind: 'ended',
      at: Date.now(),
      id: attempt.id,
      state: outcome.state,
      spentLamports: String(spent),
    } as const
    this.#write(entry).catch(() => {})
    this.#readers.publish(outcome)
    open.end(outcome)
    this.#settle()
  }

  async #write(entry: JournalEntry): Promise<void> {
    try {
      await this.#journal?.append(entry)
    } catch (failure) {
      this.halt('the journal can not be written')
      throw failure
    }
  }

  #refuse(rows: readonly Row[], why: VeloxErrorFace): Outcome {
    this.#totals.refuse()
    const outcome: Outcome = {
      signatures: [],
      records: rows.length,
      rows,
      resumed: false,
      state: 'failed',
      error: why,
      spentLamports: 0n,
    }
    this.#readers.publish(outcome)
    return outcome
  }

  /** What a builder throws may be anything. */
  #asError(thrown: unknown): VeloxErrorFace {
    if (thrown instanceof VeloxError) return thrown as VeloxErrorFace
    return error('VELOX_STAGE_FAILED', { stage: this.name }, { cause: thrown })
  }

  // ---- control

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
    for (const attempt of [...this.#open.keys()]) this.#courier.wake(attempt)
  }

  resume(): void {
    this.#halts.resume()
    for (const attempt of [...this.#open.keys()]) this.#courier.wake(attempt)
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
      windowLamports: this.#spending.total,
      halted: this.halted !== undefined,
      endpoints: [...this.#pool.endpoints.map((endpoint) => endpoint.stats()), ...(this.#jito?.stats() ?? [])],
    }
  }

  #closed(): VeloxErrorFace {
    return error('VELOX_SUBMITTER_CLOSED', { open: this.#open.size })
  }

  /** Tells those who wait for nothing to be on its way. */
  #settle(): void {
    if (this.#open.size > 0 || this.#submits > 0) return
    for (const go of this.#idle.splice(0)) go()
  }

  async close(o: { timeoutMillis?: number } = {}): Promise<void> {
    checkOptions(o, ['timeoutMillis'], 'close')
    const millis = checkInteger('timeoutMillis', o.timeoutMillis ?? 90_000, 0, 2 ** 31 - 1)
    this.#isClosing = true
    // Those who wait for room learn that there will be none.
    this.#room.give(0)
    if (!this.#shut && (this.#open.size > 0 || this.#submits > 0)) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve)
        timer = setTimeout(resolve, millis)
      })
      clearTimeout(timer)
    }
    await this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends all at once; what is on its way is in the journal. */
  #end(): Promise<void> {
    this.#isClosing = true
    this.#shut ??= (async () => {
      this.#plan.signal?.removeEventListener('abort', this.#onAbort)
      this.#stop.abort(this.#closed())
      this.#room.give(0)
      this.#tracker.close()
      this.#courier.close()
      this.#blockhash.close()
      for (const feed of this.#feeds) feed.close()
      this.#pool.close()
      this.#jito?.close()
      const closed = this.#closed()
      for (const { fail } of this.#open.values()) fail(closed)
      for (const go of this.#idle.splice(0)) go()
      this.#readers.end()
      await this.#journal?.close()
    })()
    return this.#shut
  }
}

export const createSubmitter: typeof createFace = (o) => Submitter.create(o)

function error<C extends ConstructorParameters<typeof VeloxError>[0]>(
  code: C,
  context: unknown,
  o?: ErrorOptions,
): VeloxErrorFace {
  return new VeloxError(code, context as never, o) as VeloxErrorFace
}

const signaturesOf = ({ transactions }: AttemptOf) => transactions.map(({ signature }) => signature)

function twin(rows: readonly Row[]): VeloxErrorFace {
  return error('VELOX_INVALID_VALUE', {
    field: 'records',
    expected: 'records that make a transaction of their own, as by an id',
    got: words(rows.length === 1 ? 'one that makes the same as one before it' : 'some that make the same as others'),
  })
}

function entryOf(attempt: Attempt): JournalEntry {
  const { transactions, lastValidBlockHeight, bundleId, replaces } = attempt.of
  return {
    kind: 'built',
    at: Date.now(),
    transactions: transactions.map(({ signature, base64, records, lamports, tipLamports }) => ({
      signature,
      base64,
      records,
      lamports: String(lamports),
      tipLamports: String(tipLamports),
    })),
    lastValidBlockHeight: String(lastValidBlockHeight),
    ...(bundleId !== undefined && { bundleId }),
    ...(replaces !== undefined && { replaces }),
  }
}

function rowsOf(records: Infer<typeof Bundle> | readonly Row[]): readonly Row[] {
  if (Array.isArray(records)) return records as readonly Row[]
  if (typeof records !== 'object' || records === null || !('transactions' in records))
    return refuse('records', 'a Bundle, or an array of records', records)
  return activeTransactions(records as Infer<typeof Bundle>) as unknown as readonly Row[]
}
