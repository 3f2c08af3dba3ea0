/** A call that a server got. */
export interface RequestEntry {
  /** Milliseconds since the cluster's start. */
  readonly atMillis: number
  /** `node-0`, or the name of a region. */
  readonly server: string
  /** A JSON-RPC method; `GET <path>` for REST. */
  readonly method: string
  /** The HTTP status; 0: there was no answer, or not a whole one. */
  status: number
}

/** Which calls are meant; all, where nothing is said. */
export interface RequestAim {
  readonly server?: string
  readonly method?: string
}

/** All calls that the servers of a cluster got, in order. */
export class Requests {
  readonly #entries: RequestEntry[] = []
  readonly #startMillis: number = performance.now()

  add(server: string, method: string): RequestEntry {
    const entry = { atMillis: performance.now() - this.#startMillis, server, method, status: 0 }
    this.#entries.push(entry)
    return entry
  }

  all({ server, method }: RequestAim = {}): readonly RequestEntry[] {
    return this.#entries.filter(
      (entry) => (server === undefined || entry.server === server) && (method === undefined || entry.method === method),
    )
  }

  count(aim: RequestAim = {}): number {
    return this.all(aim).length
  }

  /** The most calls in any `windowMillis`: what a limit of that many would have let through. */
  busiest(windowMillis: number, aim: RequestAim = {}): number {
    const times = this.all(aim).map(({ atMillis }) => atMillis)
    let most = 0
    let first = 0
    for (const [i, time] of times.entries()) {
      while ((times[first] as number) <= time - windowMillis) first++
      most = Math.max(most, i - first + 1)
    }
    return most
  }
}
