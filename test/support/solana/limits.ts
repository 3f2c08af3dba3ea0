/** How much early a request may be: what a network lets two requests of one second come closer together. */
const SLACK_MILLIS = 50

/** A token bucket that fills by `perSecond` and holds one second's worth. */
export class Limit {
  #tokens: number
  #atMillis: number = performance.now()
  readonly perSecond: number

  constructor(perSecond: number) {
    this.perSecond = perSecond
    this.#tokens = this.#most
  }

  get #most(): number {
    return Math.max(1, this.perSecond)
  }

  /** 0 where the request is let through, else the milliseconds to wait. */
  take(): number {
    if (this.perSecond === Infinity) return 0
    const now = performance.now()
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#atMillis) / 1000) * this.perSecond)
    this.#atMillis = now
    const slack = (SLACK_MILLIS / 1000) * this.perSecond
    if (this.#tokens < 1 - slack) return Math.ceil(((1 - this.#tokens) / this.perSecond) * 1000)
    this.#tokens -= 1
    return 0
  }
}
