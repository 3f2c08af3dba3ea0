import type { Answer } from './answer.js'
import type { CallOptions, Endpoint } from './endpoint.js'

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
    const ranked = endpoints.map((endpoint) => ({ endpoint, rank: rank(endpoint) }))
    // Of those that want to be left alone the one that is back first.
    const pause = ({ endpoint }: (typeof ranked)[number]) => endpoint.bucket.waitMillis(0)
    ranked.sort((a, b) => a.rank - b.rank || (a.rank === 2 ? pause(a) - pause(b) : 0))
    return ranked.map(({ endpoint }) => endpoint)
  }

  /**
   * Asks one after the other until one answers or refuses; gives the last failure where none does. Each call begins with another one:
   * a node that lags then costs a turn, and no more.
   */
  async ask<R>(method: string, params: readonly unknown[], o: CallOptions<R>): Promise<Answer<R>> {
    const first = this.#asked++ % this.endpoints.length
    return this.#askIn([...this.endpoints.slice(first), ...this.endpoints.slice(0, first)], method, params, o)
  }

  /** The same, always from the first on. */
  askInOrder<R>(method: string, params: readonly unknown[], o: CallOptions<R>): Promise<Answer<R>> {
    return this.#askIn(this.endpoints, method, params, o)
  }

  async #askIn<R>(
    endpoints: readonly Endpoint[],
    method: string,
    params: readonly unknown[],
    o: CallOptions<R>,
  ): Promise<Answer<R>> {
    let last: Answer<R> | undefined
    for (const endpoint of this.#ranked(endpoints)) {
      // A server may hold off for an hour, and whoever asks can ask again.
      if (last && endpoint.bucket.isPaused) break
      last = await endpoint.call(method, params, o)
      if (last.ok || last.kind === 'refused') break
    }
    return last as Answer<R>
  }

  close(): void {
    for (const endpoint of this.endpoints) endpoint.close()
  }
}
