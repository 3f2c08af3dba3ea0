import type { VeloxError as VeloxErrorFace } from '../../index.js'
import type { Outcome, SubmissionState, WebSocketStats } from '../../solana.js'
import { Attempt, type AttemptOf, isOutcome } from './attempt.js'
import { attemptsOf, entryOf, resumedOf, signaturesOf } from './attempts-of.js'
import type { Builds } from './builds.js'
import { Courier } from './courier.js'
import { asFailure, fail, twin } from './fail.js'
import type { Halts } from './halts.js'
import type { Journal } from './journal.js'
import type { JournalEntry } from './journal-entries.js'
import type { Pool } from './net/pool.js'
import type { Readers } from './readers.js'
import { recovered } from './recovery.js'
import type { Room } from './room.js'
import type { Route } from './routes.js'
import { SeenSignatures } from './seen-signatures.js'
import { SignatureFeed } from './signature-feed.js'
import { type Reservation, Spending } from './spending.js'
import type { SubmitterPlan } from './submitter-options.js'
import type { Totals } from './totals.js'
import { Tracker } from './tracker.js'

/** What is known of an attempt on its way. */
interface Open {
  readonly reservation: Reservation
  /** How often it may be signed again. */
  readonly signAgain: number
  readonly end: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void
}

type Ended = Exclude<Outcome, { state: 'simulated' }>

export interface FlightsOptions {
  readonly plan: SubmitterPlan
  readonly pool: Pool
  readonly rpc: Route
  readonly bundles: Route | undefined
  readonly journal: Journal | undefined
  readonly halts: Halts
  readonly room: Room
  readonly readers: Readers
  readonly totals: Totals
}

/** What is on its way: from its signing, over its reservation, its entry in the journal and its sends, to its end. */
export class Flights {
  readonly #o: FlightsOptions
  readonly #spending: Spending
  readonly #signatures = new SeenSignatures()
  readonly #tracker: Tracker
  readonly #courier: Courier
  readonly #feeds: SignatureFeed[] = []
  readonly #open = new Map<Attempt, Open>()
  /** Signs again what has expired, until it is told to be done. */
  #builds: Builds | undefined
  #height = 0n
  #closed: VeloxErrorFace | undefined
  #idle: (() => void)[] = []

  constructor(o: FlightsOptions) {
    const { plan, pool, rpc, bundles, halts } = o
    this.#o = o
    this.#spending = new Spending(plan.limits.maxLamports, plan.limits.windowMillis)
    const seen = (attempt: Attempt, state: SubmissionState | undefined) => this.#became(attempt, state)
    this.#tracker = new Tracker(
      pool,
      {
        seen: (attempt, place, status) => seen(attempt, attempt.seen(place, status)),
        gone: (attempt, place) => seen(attempt, attempt.gone(place)),
      },
      { commitment: plan.commitment, pollMillis: plan.pollMillis, height: () => this.#height },
    )
    this.#courier = new Courier({
      resendMillis: plan.resendMillis,
      routeOf: ({ of: { bundleId } }) => (bundleId === undefined ? rpc : bundles),
      halted: () => halts.error,
      height: () => this.#height,
      sent: (attempt, to) => seen(attempt, attempt.sent(to)),
      refused: (attempt, error) => seen(attempt, attempt.refused(error)),
    })
  }

  get size(): number {
    return this.#open.size
  }

  /** Lamports of the limit's window. */
  get windowLamports(): bigint {
    return this.#spending.total
  }

  webSockets(): readonly WebSocketStats[] {
    return this.#feeds.map((feed) => feed.stats())
  }

  /** What the chain has come to; less than before only after it was restarted. */
  reached(height: bigint): void {
    this.#height = height
    this.#signatures.reached(height)
  }

  /** Opens the WebSockets, and takes up again what the journal has on its way. */
  async begin(builds: Builds): Promise<void> {
    const { plan, journal, room } = this.#o
    this.#builds = builds
    for (const url of plan.rpc.sockets)
      this.#feeds.push(await SignatureFeed.open(url, plan.commitment, () => this.#tracker.wake()))
    const entries = journal?.takeEntries() ?? []
    for (const entry of entries)
      if (entry.kind === 'built')
        this.#signatures.add(signaturesOf(resumedOf(entry)), BigInt(entry.lastValidBlockHeight))
    const { open, spent } = recovered(entries)
    this.#spending.restore(spent)
    for (const entry of open) {
      const attempt = new Attempt(resumedOf(entry))
      room.take(attempt.of.transactions.length)
      // Nobody waits for it but readers.
      this.#launch(attempt, this.#spending.hold(attempt.lamports), 0).catch(() => {})
    }
  }

  /**
   * Reserves what it may cost, writes it down, and sends it; in this order. Gives its end, or why it was not begun: its bytes
   * are then nowhere.
   */
  async start(of: AttemptOf): Promise<Outcome | { readonly refused: VeloxErrorFace }> {
    const { plan } = this.#o
    let attempt: Attempt
    let reservation: Reservation
    try {
      ;[attempt, reservation] = await this.#admit(of)
    } catch (refused) {
      return { refused: refused as VeloxErrorFace }
    }
    return this.#launch(attempt, reservation, plan.signAgain)
  }

  /** Whether an amount may be spent; what it reserved is given back by `settle`. Throws VELOX_LIMIT_REACHED. */
  reserve(lamports: bigint): Reservation {
    const reservation = this.#spending.reserve(lamports)
    if ('settle' in reservation) return reservation
    const { maxLamports: max } = this.#o.plan.limits
    throw fail('VELOX_LIMIT_REACHED', { limit: 'limits.maxLamports', max, got: reservation.exceeds })
  }

  async #admit(of: AttemptOf): Promise<[Attempt, Reservation]> {
    if (this.#closed) throw this.#closed
    if (!this.#signatures.add(signaturesOf(of), of.lastValidBlockHeight)) throw twin()
    const attempt = new Attempt(of)
    let reservation: Reservation | undefined
    try {
      reservation = this.reserve(attempt.lamports)
      await this.#write(entryOf(of))
      return [attempt, reservation]
    } catch (error) {
      reservation?.settle(0n)
      this.#signatures.forget(signaturesOf(of))
      throw error
    }
  }

  #launch(attempt: Attempt, reservation: Reservation, signAgain: number): Promise<Outcome> {
    if (this.#closed) return Promise.reject(this.#closed)
    return new Promise((end, fail) => {
      this.#open.set(attempt, { reservation, signAgain, end, fail })
      this.#o.totals.built++
      this.#o.readers.publish(attempt.state)
      this.#tracker.add(attempt)
      for (const signature of signaturesOf(attempt.of)) for (const feed of this.#feeds) feed.add(signature)
      void this.#courier.carry(attempt)
    })
  }

  #became(attempt: Attempt, state: SubmissionState | undefined): void {
    if (!state) return
    if (!isOutcome(state)) {
      this.#o.readers.publish(state)
      return
    }
    const open = this.#open.get(attempt) as Open
    this.#tracker.remove(attempt)
    for (const signature of signaturesOf(attempt.of)) for (const feed of this.#feeds) feed.remove(signature)
    this.#courier.wake(attempt)
    if (state.state === 'expired' && open.signAgain > 0 && this.#builds && attempt.of.rows.length > 0)
      void this.#again(this.#builds, attempt, open)
    else this.#ended(attempt, open, state as Ended)
  }

  /** Signs what has expired anew: by what the journal gets, the old one has ended. */
  async #again(builds: Builds, attempt: Attempt, open: Open): Promise<void> {
    const { halts, plan, readers, totals } = this.#o
    const { rows, bundleId } = attempt.of
    open.reservation.settle(0n)
    let next: Attempt
    let reservation: Reservation
    try {
      if (halts.error) throw halts.error
      const [of, ...more] = attemptsOf(rows, await builds.build(rows), bundleId !== undefined)
      if (!of || more.length > 0) throw fail('VELOX_STAGE_FAILED', { stage: plan.name })
      ;[next, reservation] = await this.#admit({ ...of, replaces: attempt.id })
    } catch (thrown) {
      const error = asFailure(plan.name, thrown)
      this.#ended(attempt, open, { ...(attempt.state as Ended & { state: 'expired' }), error })
      return
    }
    this.#open.delete(attempt)
    const expired = attempt.replacedBy(next.id) as Ended
    totals.end(attempt, expired)
    readers.publish(expired)
    this.#launch(next, reservation, open.signAgain - 1).then(open.end, open.fail)
  }

  #ended(attempt: Attempt, open: Open, outcome: Ended): void {
    const { readers, room, totals } = this.#o
    const spent = outcome.state === 'expired' ? 0n : outcome.spentLamports
    this.#open.delete(attempt)
    if (!attempt.mayLand) this.#signatures.forget(signaturesOf(attempt.of))
    open.reservation.settle(spent)
    room.give(attempt.of.transactions.length)
    totals.end(attempt, outcome)
    const { state } = outcome
    // Without this entry a restart asks again and finds the same end.
    this.#write({ kind: 'ended', at: Date.now(), id: attempt.id, state, spentLamports: String(spent) }).catch(() => {})
    readers.publish(outcome)
    open.end(outcome)
    if (this.#open.size === 0) for (const go of this.#idle.splice(0)) go()
  }

  async #write(entry: JournalEntry): Promise<void> {
    const { halts, journal } = this.#o
    try {
      await journal?.append(entry)
    } catch (error) {
      halts.halt('the journal can not be written')
      throw error
    }
  }

  /** What may be sent has changed: all looks again. */
  wake(): void {
    for (const attempt of [...this.#open.keys()]) this.#courier.wake(attempt)
  }

  /** Nothing is signed again from here on. */
  finish(): void {
    this.#builds = undefined
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Ends all at once; what is on its way is in the journal. */
  close(closed: VeloxErrorFace): void {
    this.#closed = closed
    this.#tracker.close()
    this.#courier.close()
    for (const feed of this.#feeds) feed.close()
    for (const { fail } of this.#open.values()) fail(closed)
    for (const go of this.#idle.splice(0)) go()
  }
}
