import type { Priority } from './bucket.js'

/** Requests under way at one server: what is sent, and what is asked besides, which must not wait behind it. */
const LANES = { send: 48, status: 16 }

type Kind = keyof typeof LANES
const kindOf = (priority: Priority): Kind => (priority === 'status' ? 'status' : 'send')

/** Keeps what a server can't take at once here: there it would wait until it is given up, and be sent once more. */
export class Lanes {
  readonly #free: Record<Kind, number> = { ...LANES }
  readonly #waiting: Record<Kind, ((entered: boolean) => void)[]> = { send: [], status: [] }

  isFree(priority: Priority): boolean {
    return this.#free[kindOf(priority)] > 0
  }

  /** Waits for a lane; false where it was closed first. A repetition doesn't wait. */
  enter(priority: Priority): Promise<boolean> {
    const kind = kindOf(priority)
    if (this.#free[kind] > 0) {
      this.#free[kind]--
      return Promise.resolve(true)
    }
    if (priority === 'resend') return Promise.resolve(false)
    return new Promise((resolve) => this.#waiting[kind].push(resolve))
  }

  leave(priority: Priority): void {
    const kind = kindOf(priority)
    const next = this.#waiting[kind].shift()
    if (next) next(true)
    else this.#free[kind]++
  }

  /** Sends all who wait away. */
  close(): void {
    for (const kind of ['send', 'status'] as const) for (const go of this.#waiting[kind].splice(0)) go(false)
  }
}
