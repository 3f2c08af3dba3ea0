const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a signal or a key asks for: first to end the source, then to give up what is on the way, then the system's own. */
export class Asked {
  readonly #end = new AbortController()
  readonly #giveUp = new AbortController()
  /** For `stopOn` and `signal` of a run. */
  readonly stopOn: AbortSignal = this.#end.signal
  readonly signal: AbortSignal = this.#giveUp.signal

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.again)
  }

  readonly end = (): void => this.#end.abort()

  readonly again = (): void => {
    if (!this.stopOn.aborted) {
      this.end()
      return
    }
    for (const signal of SIGNALS) process.off(signal, this.again)
    this.#giveUp.abort('told to end a second time')
  }
}
