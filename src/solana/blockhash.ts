import type { VeloxError as VeloxErrorFace } from '../../index.js'
import type { Pool } from './net/pool.js'
import { type Blockhash, latestBlockhash } from './net/shapes.js'

/** A blockhash lives for so many blocks. */
export const LIFE_BLOCKS = 150n
/** One that is older (about 50 blocks) is not signed with: there would be little time left to land. */
const OLDEST_MILLIS = 20_000
const RETRY_MILLIS = 250
/** A decision that waits longer for one is no decision of now. */
const WAIT_MILLIS = 5_000

/** Keeps a blockhash that is fresh, in the background. */
export class BlockhashSource {
  readonly #pool: Pool
  readonly #everyMillis: number
  readonly #reached: (height: bigint) => void
  readonly #waiting = new Set<() => void>()
  #newest: Blockhash | undefined
  #at = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #failure: VeloxErrorFace | undefined

  constructor(pool: Pool, everyMillis: number, reached: (height: bigint) => void) {
    this.#pool = pool
    this.#everyMillis = everyMillis
    this.#reached = reached
    void this.#fetch()
  }

  async #fetch(): Promise<void> {
    const o = { priority: 'status', read: latestBlockhash } as const
    const answer = await this.#pool.ask('getLatestBlockhash', [{ commitment: 'confirmed' }], o)
    if (this.#isClosed) return
    if (answer.ok) this.#take(answer.result)
    this.#failure = answer.ok ? undefined : answer.error
    this.#timer = setTimeout(
      () => void this.#fetch(),
      answer.ok ? this.#everyMillis : Math.min(RETRY_MILLIS, this.#everyMillis),
    )
    // What is on its way keeps the process; a hash that nobody waits for doesn't.
    if (this.#waiting.size === 0) this.#timer.unref()
  }

  /**
   * A node that lags has older ones: the newest stays. After a fork or a restart of the chain a lower one has to do. One that
   * is told again grows no younger: its node stands still.
   */
  #take(next: Blockhash): void {
    const least = this.#newest?.lastValidBlockHeight
    if (
      least !== undefined &&
      next.lastValidBlockHeight <= least &&
      (this.isFresh || next.lastValidBlockHeight === least)
    )
      return
    this.#newest = next
    this.#at = performance.now()
    this.#reached(next.lastValidBlockHeight - LIFE_BLOCKS)
    for (const go of this.#waiting) go()
  }

  get isFresh(): boolean {
    return this.#newest !== undefined && performance.now() - this.#at < OLDEST_MILLIS
  }

  /** Why the last fetch failed. */
  get failure(): VeloxErrorFace | undefined {
    return this.#failure
  }

  /** The newest; waits so long where there is none that is fresh. */
  async fresh(waitMillis = WAIT_MILLIS): Promise<Blockhash | undefined> {
    if (!this.isFresh && !this.#isClosed) {
      this.#timer?.ref()
      await new Promise<void>((resolve) => {
        const go = () => {
          clearTimeout(timer)
          this.#waiting.delete(go)
          resolve()
        }
        const timer = setTimeout(go, waitMillis)
        this.#waiting.add(go)
      })
    }
    return this.isFresh && !this.#isClosed ? this.#newest : undefined
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const go of this.#waiting) go()
  }
}
