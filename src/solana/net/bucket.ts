/**
 * What goes first where there are too few tokens: what protects what is on its way, by turns with what is new; repetitions come last.
 */
export type Priority = 'status' | 'send' | 'resend'
const ORDER: readonly Priority[] = ['status', 'send', 'resend']

/** So many go in one turn of the event loop: to send a burst at once would keep it for as long as that takes. */
const MOST_AT_ONCE = 4

/** So long who waits already waits through a pause. */
const PATIENCE_MILLIS = 2_000

type Waiter = (taken: boolean) => void

/** A token bucket: `perSecond` requests a second in the long run, `burst` of them at once. */
export class TokenBucket {
  readonly #perMilli: number
  readonly #burst: number
  readonly #now: () => number
  /** 0 … burst; as of `#at`, which is ahead of now while it is paused. */
  #tokens: number
  #at: number
  /** Nothing is given before. */
  #pausedUntil = 0
  readonly #waiting: Record<Priority, Waiter[]> = { status: [], send: [], resend: [] }
  #wasStatus = false
  /** Given in this turn of the event loop. */
  #inTurn = 0
  #timer: NodeJS.Timeout | undefined

  constructor(o: { perSecond: number; burst: number }, now: () => number = () => performance.now()) {
    this.#perMilli = o.perSecond / 1000
    this.#burst = o.burst
    this.#now = now
    this.#tokens = o.burst
    this.#at = now()
  }

  /** How many wait for a token. */
  get waiting(): number {
    return ORDER.reduce((sum, priority) => sum + this.#waiting[priority].length, 0)
  }

  get isPaused(): boolean {
    return this.#now() < this.#pausedUntil
  }

  /** How long somebody who comes now would wait, about, behind so many. */
  waitMillis(ahead: number): number {
    this.#refill()
    const missing = Math.max(0, ahead + 1 - this.#tokens) / this.#perMilli
    return Math.max(missing, this.#pausedUntil - this.#now())
  }

  #refill(): void {
    const now = this.#now()
    // None come in while it is paused.
    if (now <= this.#at) return
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMilli)
    this.#at = now
  }

  #has(): boolean {
    this.#refill()
    // A timer's millisecond is cut off; a token that is there but for rounding is there.
    return !this.isPaused && this.#tokens >= 1 - 1e-9 && this.#inTurn < MOST_AT_ONCE
  }

  #spend(): void {
    this.#tokens = Math.max(0, this.#tokens - 1)
    if (this.#inTurn++ > 0) return
    setImmediate(() => {
      this.#inTurn = 0
      if (this.waiting > 0) this.#serve()
    })
  }

  /** Takes a token if there is one that nobody waits for. */
  tryTake(): boolean {
    if (this.waiting > 0 || !this.#has()) return false
    this.#spend()
    return true
  }

  /** Waits for a token; false where it was closed, or paused for long, first. */
  take(priority: Priority): Promise<boolean> {
    if (this.tryTake()) return Promise.resolve(true)
    return new Promise((resolve) => {
      this.#waiting[priority].push(resolve)
      this.#arm()
    })
  }

  /** A token that was taken and not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1)
    if (this.waiting > 0 && !this.isPaused) this.#serve()
  }

  /**
   * Gives nothing for so long: the server asked for it. One token comes in meanwhile, if there is time for it. After a
   * longer pause who waits is sent away: another server may have time.
   */
  pause(millis: number): void {
    this.#refill()
    const until = Math.max(this.#pausedUntil, this.#now() + millis)
    this.#tokens = Math.min(1, this.#tokens + Math.max(0, until - this.#at) * this.#perMilli)
    this.#pausedUntil = until
    this.#at = until
    this.#disarm()
    if (millis > PATIENCE_MILLIS) this.#dismiss()
    this.#arm()
  }

  /** Sends all who wait away. */
  close(): void {
    this.#disarm()
    this.#dismiss()
  }

  #dismiss(): void {
    for (const priority of ORDER) for (const go of this.#waiting[priority].splice(0)) go(false)
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    // Those of this turn are followed by the next turn's.
    if (this.#timer || this.waiting === 0 || this.#inTurn >= MOST_AT_ONCE) return
    this.#refill()
    const missing = Math.max(0, 1 - this.#tokens) / this.#perMilli
    const millis = Math.max(missing, this.#pausedUntil - this.#now(), 0)
    this.#timer = setTimeout(() => this.#serve(), Math.min(Math.ceil(millis), 2 ** 31 - 1))
  }

  /** Those who are next. Statuses come first, but not twice while something waits to be sent. */
  #next(): Waiter[] | undefined {
    const { status, send } = this.#waiting
    if (this.#wasStatus && send.length > 0) {
      this.#wasStatus = false
      return send
    }
    this.#wasStatus = status.length > 0
    return ORDER.map((priority) => this.#waiting[priority]).find(({ length }) => length > 0)
  }

  #serve(): void {
    this.#disarm()
    while (this.#has()) {
      const queue = this.#next()
      if (!queue) return
      this.#spend()
      ;(queue.shift() as Waiter)(true)
    }
    this.#arm()
  }
}
