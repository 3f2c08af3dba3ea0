import type { VeloxError as VeloxErrorFace } from '../../index.js'
import type { Attempt } from './attempt.js'
import { backoffMillis } from './net/backoff.js'
import type { Route } from './routes.js'

/** While nothing may be sent, it is looked again so often whether it may. */
const HOLD_MILLIS = 200

export interface CourierOptions {
  readonly resendMillis: number
  /** How it is sent; undefined where it can only be watched. */
  routeOf(attempt: Attempt): Route | undefined
  /** Why nothing is sent now. */
  halted(): VeloxErrorFace | undefined
  /** The newest block height that is known. */
  height(): bigint
  sent(attempt: Attempt, to: string): void
  /** It can't have reached anybody, and isn't sent any more. */
  refused(attempt: Attempt, error: VeloxErrorFace): void
}

/** Sends the bytes of an attempt, and sends them again, until it has ended or can't land any more. */
export class Courier {
  readonly #o: CourierOptions
  readonly #pauses = new Map<Attempt, () => void>()
  #isClosed = false

  constructor(o: CourierOptions) {
    this.#o = o
  }

  async carry(attempt: Attempt): Promise<void> {
    const route = this.#o.routeOf(attempt)
    if (!route) return
    for (let failures = 0; this.#isOpen(attempt); ) {
      const halted = this.#o.halted()
      if (halted && !attempt.mayLand) return this.#o.refused(attempt, halted)
      if (halted) {
        await this.#pause(attempt, HOLD_MILLIS)
        continue
      }
      const isRepeated = attempt.state.state !== 'built'
      const couldLand = attempt.mayLand
      attempt.mayLand = true
      const sent = await route.send(attempt, isRepeated ? 'resend' : 'send', () => this.#isWanted(attempt))
      if (!this.#isOpen(attempt)) return
      if (sent.is === 'accepted') {
        failures = 0
        this.#o.sent(attempt, sent.to)
        await this.#pause(attempt, this.#o.resendMillis)
        continue
      }
      attempt.error = sent.error
      attempt.mayLand = couldLand || sent.mayHaveArrived
      if (sent.isFinal && !attempt.mayLand) return this.#o.refused(attempt, sent.error)
      failures++
      // Servers are spared by their buckets and breakers; what is on its way has a minute to land.
      const { resendMillis } = this.#o
      await this.#pause(attempt, isRepeated ? resendMillis : Math.min(backoffMillis(failures), resendMillis))
    }
  }

  /** It has not ended, and it can still land. */
  #isOpen(attempt: Attempt): boolean {
    return !this.#isClosed && attempt.isOpen && this.#o.height() <= attempt.of.lastValidBlockHeight
  }

  /** Whether it is still to be sent when its turn comes. */
  #isWanted(attempt: Attempt): boolean {
    return this.#isOpen(attempt) && this.#o.halted() === undefined
  }

  #pause(attempt: Attempt, millis: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer)
        this.#pauses.delete(attempt)
        resolve()
      }
      const timer = setTimeout(go, millis)
      this.#pauses.set(attempt, go)
    })
  }

  /** Looks again at once. */
  wake(attempt: Attempt): void {
    this.#pauses.get(attempt)?.()
  }

  close(): void {
    this.#isClosed = true
    for (const go of [...this.#pauses.values()]) go()
  }
}
