import { backoffMillis } from './backoff.js'

/** So many failures in a row, and a server is left alone for a while. */
const MOST_FAILURES = 5
/** The first time as long as five first backoffs, and never so long that a transaction expires over it. */
const TIMES = 5
const LONGEST_MILLIS = 5_000

/**
 * A circuit breaker. Open, it lets nothing through until a backoff has passed, then one request on trial: its success closes
 * it, its failure opens it for longer. What was under way when it opened says nothing new.
 */
export class Breaker {
  readonly #now: () => number
  readonly #random: () => number
  /** In a row, while it is closed. */
  #failures = 0
  /** How often it has opened since it was last closed; 0 while it is. */
  #opened = 0
  #openUntil = 0
  #onTrial = false

  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  get isOpen(): boolean {
    return this.#opened > 0 && (this.#onTrial || this.#now() < this.#openUntil)
  }

  /** Whether a request may go; one that may after the wait is the trial. */
  admits(): boolean {
    if (this.isOpen) return false
    this.#onTrial = this.#opened > 0
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#opened = 0
    this.#onTrial = false
  }

  failed(): void {
    const isNews = this.#opened > 0 ? this.#onTrial : ++this.#failures >= MOST_FAILURES
    if (!isNews) return
    this.#opened++
    this.#onTrial = false
    this.#openUntil = this.#now() + Math.min(LONGEST_MILLIS, TIMES * backoffMillis(this.#opened, this.#random))
  }

  /** A request that was admitted and never went. */
  withdrawn(): void {
    this.#onTrial = false
  }
}
