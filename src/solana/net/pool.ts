import type { Answer } from './answer.js'
import type { Priority } from './bucket.js'
import type { Endpoint } from './endpoint.js'

/** Several servers that answer the same questions. */
export class Pool {
  readonly endpoints: readonly Endpoint[]

  constructor(endpoints: readonly Endpoint[]) {
    this.endpoints = endpoints
  }

  /** In the order in which they were given, those first that would answer at once. */
  get inOrder(): readonly Endpoint[] {
    const rank = ({ breaker, bucket }: Endpoint) => (breaker.isOpen ? 3 : bucket.isPaused ? 2 : bucket.hasToken ? 0 : 1)
    return [...this.endpoints].sort((a, b) => rank(a) - rank(b))
  }

  /** Asks one after the other until one answers or refuses; gives the last failure where none does. */
  async failOver<R>(method: string, params: readonly unknown[], priority: Priority): Promise<Answer<R>> {
    let last: Answer<R> | undefined
    for (const endpoint of this.inOrder) {
      last = await endpoint.call<R>(method, params, { priority })
      if (last.ok || last.kind === 'refused') break
    }
    return last as Answer<R>
  }

  close(): void {
    for (const endpoint of this.endpoints) endpoint.close()
  }
}
