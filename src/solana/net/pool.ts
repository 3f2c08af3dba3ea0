import type { Answer } from './answer.js'
import type { Priority } from './bucket.js'
import type { Endpoint } from './endpoint.js'

/** Several servers that answer the same questions. */
export class Pool {
  readonly endpoints: readonly Endpoint[]
  #asked = 0

  constructor(endpoints: readonly Endpoint[]) {
    this.endpoints = endpoints
  }

  /** In the order in which they were given, those first that are not busy. */
  get inOrder(): readonly Endpoint[] {
    return this.#ranked(this.endpoints)
  }

  #ranked(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const rank = ({ breaker, bucket, isFree }: Endpoint) => (breaker.isOpen ? 3 : bucket.isPaused ? 2 : isFree ? 0 : 1)
    return [...endpoints].sort((a, b) => rank(a) - rank(b))
  }

  /**
   * Asks one after the other until one answers or refuses; gives the last failure where none does. Each call begins with another one:
   * a node that lags then costs a turn, and no more.
   */
  async ask<R>(method: string, params: readonly unknown[], priority: Priority): Promise<Answer<R>> {
    const first = this.#asked++ % this.endpoints.length
    const turned = [...this.endpoints.slice(first), ...this.endpoints.slice(0, first)]
    let last: Answer<R> | undefined
    for (const endpoint of this.#ranked(turned)) {
      last = await endpoint.call<R>(method, params, { priority })
      if (last.ok || last.kind === 'refused') break
    }
    return last as Answer<R>
  }

  close(): void {
    for (const endpoint of this.endpoints) endpoint.close()
  }
}
