import { Random } from '../exchange/random.js'

/** What can go wrong, each asked for by {@link Faults.add}. */
export type FaultKind =
  /** Refused by HTTP 429, with `Retry-After` where `retryAfterSeconds` is said; nothing is done. */
  | 'tooMany'
  /** Refused by HTTP 503; nothing is done. */
  | 'unavailable'
  /** Never answered; nothing is done. */
  | 'hang'
  /** Done and answered `delayMillis` later. */
  | 'slow'
  /** Done; the connection is reset in the middle of the answer. */
  | 'resetMidBody'
  /** Done; the connection is reset before the answer. */
  | 'replyLost'
  /** Answered by a JSON-RPC error of `code` and `message`; nothing is done. */
  | 'rpcError'
  /** Accepted, then lost between the node and the leader. Aims at `sendTransaction`. */
  | 'dropTransaction'
  /** Accepted, then out of the auction without a trace. Aims at `sendBundle`. */
  | 'dropBundle'

export interface Fault {
  readonly kind: FaultKind
  /** The JSON-RPC methods, or `GET <path>`, that it is for; all, where nothing is said. */
  readonly method?: string | readonly string[]
  /** The node or region by name: `node-0`, `ny`; all, where nothing is said. */
  readonly server?: string
  /** How many it hits before it is over. Default: no end, where `probability` is said, else 1. */
  readonly next?: number
  /** 0 … 1: the share of requests that it hits, by the cluster's seed. Default 1. */
  readonly probability?: number
  /** `tooMany`, `unavailable`. */
  readonly retryAfterSeconds?: number
  /** `slow`. Default 1,000. */
  readonly delayMillis?: number
  /** `rpcError`. Default -32603, "Internal error". */
  readonly code?: number
  readonly message?: string
  readonly data?: unknown
}

/** A fault that was asked for. */
export interface PlannedFault {
  readonly fault: Fault
  /** How often it has hit. */
  readonly hits: number
  remove(): void
}

interface Plan extends PlannedFault {
  hits: number
  left: number
}

const LATER: ReadonlySet<FaultKind> = new Set<FaultKind>(['dropTransaction', 'dropBundle'])

/** The faults of a cluster that were asked for; those asked for first come first. */
export class Faults {
  #plans: Plan[] = []
  readonly #counts: Map<FaultKind, number> = new Map()
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  add(fault: Fault): PlannedFault {
    const plan: Plan = {
      fault,
      hits: 0,
      left: fault.next ?? (fault.probability === undefined ? 1 : Infinity),
      remove: () => {
        this.#plans = this.#plans.filter((other) => other !== plan)
      },
    }
    this.#plans.push(plan)
    return plan
  }

  clear(): void {
    this.#plans = []
  }

  /** How often each kind has hit since the start. */
  get counts(): Readonly<Partial<Record<FaultKind, number>>> {
    return Object.fromEntries(this.#counts)
  }

  /** How many hits are still to come of those with an end. */
  get pending(): number {
    return this.#plans.reduce((sum, { left }) => sum + (left === Infinity ? 0 : left), 0)
  }

  /** The fault that a request is to have, if any. */
  take(server: string, method: string): Fault | undefined {
    return this.#take((fault) => !LATER.has(fault.kind) && fits(fault, server, method))
  }

  /** Whether what was accepted is to be lost afterwards. */
  takesAway(kind: 'dropTransaction' | 'dropBundle', server?: string): boolean {
    return this.#take((fault) => fault.kind === kind && (fault.server ?? server) === server) !== undefined
  }

  #take(isFor: (fault: Fault) => boolean): Fault | undefined {
    for (const plan of this.#plans) {
      const { fault } = plan
      if (!isFor(fault) || (fault.probability ?? 1) <= this.#random.float()) continue
      plan.hits++
      this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1)
      if (--plan.left === 0) plan.remove()
      return fault
    }
    return undefined
  }
}

function fits({ server, method }: Fault, itsServer: string, itsMethod: string): boolean {
  if (server !== undefined && server !== itsServer) return false
  return method === undefined || (typeof method === 'string' ? method === itsMethod : method.includes(itsMethod))
}
