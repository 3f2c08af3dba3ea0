import { backoffMillis } from './backoff.js'

/** So many failures in a row, and a server is left alone for a while. */
const MOST_FAILURES = 5

/**
 * A circuit breaker. Open, it lets nothing through until a backoff has passed, then one request on trial: its success closes
 * it, its failure opens it for longer.
 */
export class Breaker {
  readonly #now: () => number
  readonly #random: () => number
  #failures = 0
  #openUntil = 0
  #onTrial = false

  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  get isOpen(): boolean {
    return this.#failures >= MOST_FAILURES && (this.#onTrial || this.#now() < this.#openUntil)
  }

  /** Whether a request may go; one that may after the wait is the trial. */
  admits(): boolean {
    if (this.isOpen) return false
    this.#onTrial = this.#failures >= MOST_FAILURES
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#onTrial = false
  }

  failed(): void {
    this.#failures++
    this.#onTrial = false
    if (this.#failures >= MOST_FAILURES)
      this.#openUntil = this.#now() + backoffMillis(this.#failures - MOST_FAILURES + 1, this.#random) * 5
  }

  /** A request that was admitted and never went. */
  withdrawn(): void {
    this.#onTrial = false
  }
}
