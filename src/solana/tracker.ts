import type { Attempt, Seen } from './attempt.js'
import { LIFE_BLOCKS } from './blockhash.js'
import { breathe } from './breathe.js'
import type { Endpoint } from './net/endpoint.js'
import type { Pool } from './net/pool.js'
import { epochInfo, type Status, type Statuses, statusesOf } from './net/shapes.js'
import { movedBy } from './nonces.js'
import type { DurableNonce } from './wire.js'

/** So many signatures one call takes. */
const MOST_SIGNATURES = 256
/** Notifications of so long a time are asked for together. */
const GATHER_MILLIS = 20
/** A nonce may stay for days: it is looked at once in so many polls. */
const NONCE_POLLS = 10

/** What is told of a signature: what a node has seen of it, or that it can't land any more. */
export interface Told {
  seen(attempt: Attempt, place: number, seen: Seen): void
  gone(attempt: Attempt, place: number): void
}

export interface TrackerOptions {
  readonly commitment: 'confirmed' | 'finalized'
  readonly pollMillis: number
  /** The newest block height that is known. */
  height(): bigint
}

/** Asks what became of signatures: every so often, when it is woken, and for good once their last block is past. */
export class Tracker {
  readonly #pool: Pool
  readonly #told: Told
  readonly #o: TrackerOptions
  readonly #attempts = new Set<Attempt>()
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0
  /** When nonces are next looked at. */
  #noncesAt = 0
  #asks = false
  /** Something happened while it asked. */
  #isWoken = false
  #isClosed = false

  constructor(pool: Pool, told: Told, o: TrackerOptions) {
    this.#pool = pool
    this.#told = told
    this.#o = o
  }

  add(attempt: Attempt): void {
    this.#attempts.add(attempt)
    this.#arm(attempt.of.resumed ? 0 : this.#o.pollMillis)
  }

  remove(attempt: Attempt): void {
    this.#attempts.delete(attempt)
    if (this.#attempts.size === 0) this.#disarm()
  }

  /** Something happened that was not told whole: all is asked again. */
  wake(): void {
    if (this.#attempts.size > 0) this.#arm(GATHER_MILLIS)
  }

  close(): void {
    this.#isClosed = true
    this.#disarm()
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Asks after so long, or earlier where that is due. */
  #arm(millis: number): void {
    if (this.#isClosed) return
    const at = performance.now() + millis
    if (this.#timer && this.#dueAt <= at) return
    this.#disarm()
    this.#dueAt = at
    this.#timer = setTimeout(() => void this.#turn(), millis)
  }

  async #turn(): Promise<void> {
    this.#timer = undefined
    if (this.#asks) {
      this.#isWoken = true
      return
    }
    this.#asks = true
    this.#isWoken = false
    try {
      await this.#ask()
      await this.#prove()
    } finally {
      this.#asks = false
      if (this.#attempts.size > 0) this.#arm(this.#isWoken ? GATHER_MILLIS : this.#o.pollMillis)
    }
  }

  async #ask(): Promise<void> {
    for (const part of partsOf(placesOf(this.#attempts, ({ mayLand }) => mayLand))) {
      const answer = await this.#pool.ask(...question(part, false))
      if (answer.ok) await this.#tell(part, answer.result)
    }
  }

  /** Gives those of which the node knows nothing. */
  async #tell(part: readonly Place[], { statuses }: Statuses): Promise<readonly Place[]> {
    const unknown: Place[] = []
    for (const [i, one] of part.entries()) {
      const status = statuses[i]
      if (!status) {
        unknown.push(one)
        continue
      }
      const { slot, err } = status
      this.#told.seen(one.attempt, one.place, { slot: BigInt(slot), err, isFinal: this.#isFinal(status) })
      await breathe()
    }
    return unknown
  }

  #isFinal({ confirmationStatus, confirmations }: Status): boolean {
    // Nodes older than `confirmationStatus` say null confirmations of what is finalized.
    const reached = confirmationStatus ?? (confirmations === null ? 'finalized' : 'processed')
    return reached === 'finalized' || reached === this.#o.commitment
  }

  /**
   * Declares gone what can't land any more: one node says that a *finalized* block is past its last, and the same node, with a slot that
   * is no older, knows nothing of it in its history either. A node that lags, or the pool behind its address, proves nothing. What lives
   * by a nonce can't land any more once that has become another.
   */
  async #prove(): Promise<void> {
    const asksNonces = performance.now() >= this.#noncesAt
    const isPast = (height: bigint) => (attempt: Attempt) =>
      this.#lastOf(attempt) < height && (asksNonces || attempt.of.nonces === undefined)
    if (![...this.#attempts].some(isPast(this.#o.height()))) return
    if (asksNonces) this.#noncesAt = performance.now() + NONCE_POLLS * this.#o.pollMillis
    for (const endpoint of this.#pool.inOrder) {
      // It may hold off for an hour, and others are to be asked in a moment.
      if (endpoint.bucket.isPaused) continue
      const due = [...this.#attempts].filter(isPast(this.#o.height()))
      if (due.length === 0) return
      const o = { priority: 'status', read: epochInfo } as const
      const finalized = await endpoint.call('getEpochInfo', [{ commitment: 'finalized' }], o)
      if (!finalized.ok) continue
      const { slot, height } = finalized.result
      const places = [...placesOf(due, isPast(height))]
      await this.#proveBy(
        endpoint,
        slot,
        places.filter(({ nonce }) => nonce === undefined),
      )
      const nonces = new Set(places.map(({ nonce }) => nonce).filter((nonce) => nonce !== undefined))
      for (const moved of await movedBy(endpoint, slot, [...nonces])) {
        const own = places.filter(({ nonce }) => nonce !== undefined && moved.nonces.has(nonce))
        await this.#proveBy(endpoint, moved.slot, own)
      }
    }
  }

  /**
   * The block height behind which it may be over. A nonce that is told as of an earlier block could be the one before the attempt's:
   * its builder read that of a node that was ahead, but not by as many blocks as a blockhash lives.
   */
  #lastOf(attempt: Attempt): bigint {
    const { nonces, lastValidBlockHeight } = attempt.of
    if (nonces === undefined) return lastValidBlockHeight
    const height = this.#o.height()
    if (height > 0n) attempt.settledFrom ??= height + LIFE_BLOCKS
    return attempt.settledFrom ?? lastValidBlockHeight
  }

  async #proveBy(endpoint: Endpoint, finalizedSlot: number, places: readonly Place[]): Promise<void> {
    for (const part of partsOf(places)) {
      const answer = await endpoint.call(...question(part, true))
      if (!answer.ok) return
      const unknown = await this.#tell(part, answer.result)
      if (answer.result.slot < finalizedSlot) continue
      for (const { attempt, place } of unknown) this.#told.gone(attempt, place)
    }
  }
}

interface Place {
  readonly attempt: Attempt
  readonly place: number
  readonly signature: string
  readonly nonce: DurableNonce | undefined
}

/** One after the other as they are asked for: of thousands at once the event loop would wait. */
function* placesOf(attempts: Iterable<Attempt>, isMeant: (attempt: Attempt) => boolean): Generator<Place> {
  for (const attempt of [...attempts]) {
    if (!attempt.isOpen || !isMeant(attempt)) continue
    const { transactions, nonces } = attempt.of
    for (const [place, { signature }] of transactions.entries())
      yield { attempt, place, signature, nonce: nonces?.[place] }
  }
}

function question(part: readonly Place[], searchTransactionHistory: boolean) {
  const params = [part.map(({ signature }) => signature), { searchTransactionHistory }]
  return ['getSignatureStatuses', params, { priority: 'status', read: statusesOf(part.length) }] as const
}

function* partsOf(places: Iterable<Place>): Generator<readonly Place[]> {
  let part: Place[] = []
  for (const place of places) {
    part.push(place)
    if (part.length < MOST_SIGNATURES) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}
