import type { Charge } from './recovery.js'

/** A window is kept in at most so many sums. */
const MOST_SUMS = 1_000

/** Epoch milliseconds as of this call, and from then on without the jumps of the system's clock: a window must not end by one. */
function steadyClock(): () => number {
  const origin = Date.now() - performance.now()
  return () => origin + performance.now()
}

interface Sum {
  readonly began: number
  at: number
  lamports: bigint
}

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
  readonly #spent: Sum[] = []
  #spentSum = 0n

  constructor(max: bigint, windowMillis: number, now: () => number = steadyClock()) {
    this.#max = max
    this.#windowMillis = windowMillis
    this.#now = now
  }

  /** What a journal says of the time before; a clock that was set back meanwhile makes nothing of the future. */
  restore(charges: readonly Charge[]): void {
    const now = this.#now()
    for (const { at, lamports } of charges.toSorted((a, b) => a.at - b.at))
      this.#spend({ at: Math.min(at, now), lamports })
  }

  /** Charges that come close together count as one, of the last one's time: a day's window is no list of a day. */
  #spend({ at, lamports }: Charge): void {
    this.#spentSum += lamports
    const last = this.#spent.at(-1)
    if (last === undefined || at - last.began > this.#windowMillis / MOST_SUMS)
      this.#spent.push({ began: at, at, lamports })
    else {
      last.at = Math.max(last.at, at)
      last.lamports += lamports
    }
  }

  get total(): bigint {
    const since = this.#now() - this.#windowMillis
    while (this.#spent[0] && this.#spent[0].at <= since) this.#spentSum -= (this.#spent.shift() as Sum).lamports
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
