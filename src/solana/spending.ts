import type { Charge } from './recovery.js'

/** An amount that may be spent; `settle` says what it came to. */
export interface Reservation {
  settle(spent: bigint): void
}

/** What was spent within a window of time, and what is reserved: that counts however old it is. */
export class Spending {
  readonly #max: bigint
  readonly #windowMillis: number
  readonly #now: () => number
  #reserved = 0n
  /** By time. */
  readonly #spent: Charge[] = []
  #spentSum = 0n

  constructor(max: bigint, windowMillis: number, now: () => number = Date.now) {
    this.#max = max
    this.#windowMillis = windowMillis
    this.#now = now
  }

  /** What a journal says of the time before. */
  restore(charges: readonly Charge[]): void {
    for (const charge of [...charges].sort((a, b) => a.at - b.at)) this.#spend(charge)
  }

  #spend(charge: Charge): void {
    this.#spent.push(charge)
    this.#spentSum += charge.lamports
  }

  get total(): bigint {
    const since = this.#now() - this.#windowMillis
    while (this.#spent[0] && this.#spent[0].at <= since) this.#spentSum -= (this.#spent.shift() as Charge).lamports
    return this.#reserved + this.#spentSum
  }

  /** Reserves an amount, or says how much it would be with it. */
  reserve(lamports: bigint): Reservation | { readonly exceeds: bigint } {
    const total = this.total + lamports
    return total > this.#max ? { exceeds: total } : this.hold(lamports)
  }

  /** Reserves an amount whatever the limit: it is on its way already. */
  hold(lamports: bigint): Reservation {
    this.#reserved += lamports
    let isOpen = true
    return {
      settle: (spent) => {
        if (!isOpen) return
        isOpen = false
        this.#reserved -= lamports
        if (spent > 0n) this.#spend({ at: this.#now(), lamports: spent })
      },
    }
  }
}
