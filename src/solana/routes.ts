import type { VeloxError as VeloxErrorFace } from '../../index.js'
import type { Attempt, Signed } from './attempt.js'
import { JitoClient } from './jito-client.js'
import type { Answer } from './net/answer.js'
import type { Priority } from './net/bucket.js'
import type { Endpoint } from './net/endpoint.js'
import type { Pool } from './net/pool.js'

/** What one try to send came to. */
export type Sent =
  | { readonly is: 'accepted'; readonly to: string }
  /** `mayHaveArrived`: a server may have taken it all the same. `isFinal`: it was refused for what it is. */
  | { readonly is: 'not'; readonly error: VeloxErrorFace; readonly mayHaveArrived: boolean; readonly isFinal: boolean }

/** How what is signed gets to the leader. */
export interface Route {
  /** `isWanted` is asked once a request is free for it. */
  send(attempt: Attempt, priority: Priority, isWanted: () => boolean): Promise<Sent>
}

const PREFLIGHT_FAILURE = -32002

/** What a node says of a transaction that it has simulated. */
function preflight(answer: Answer<unknown>): string | undefined {
  if (answer.ok || answer.rpcCode !== PREFLIGHT_FAILURE) return undefined
  const { err } = (answer.data ?? {}) as { err?: unknown }
  return typeof err === 'string' ? err : 'another'
}

function sentOf(answer: Answer<unknown>, to: string): Sent {
  if (answer.ok) return { is: 'accepted', to }
  const said = preflight(answer)
  // It is in a block already: a send whose answer was lost.
  if (said === 'AlreadyProcessed') return { is: 'accepted', to }
  const { kind, error } = answer
  // A node that is behind doesn't know the newest blockhash yet.
  return {
    is: 'not',
    error,
    mayHaveArrived: kind === 'unknown',
    isFinal: kind === 'refused' && said !== 'BlockhashNotFound',
  }
}

/** Of several tries the one that says most, and whether any of them may have arrived. */
function together(tries: readonly Sent[]): Sent {
  const accepted = tries.find(({ is }) => is === 'accepted')
  if (accepted) return accepted
  const failures = tries as readonly Extract<Sent, { is: 'not' }>[]
  const mayHaveArrived = failures.some((one) => one.mayHaveArrived)
  const { error, isFinal } = (failures.find((one) => one.isFinal) ?? failures.at(-1)) as Extract<Sent, { is: 'not' }>
  return { is: 'not', error, mayHaveArrived, isFinal }
}

/** Single transactions to RPC nodes. */
export class RpcRoute implements Route {
  readonly #pool: Pool
  readonly #o: { send: 'failOver' | 'race'; preflight: boolean }

  constructor(pool: Pool, o: { send: 'failOver' | 'race'; preflight: boolean }) {
    this.#pool = pool
    this.#o = o
  }

  async send({ of: { transactions } }: Attempt, priority: Priority, isWanted: () => boolean): Promise<Sent> {
    const { base64 } = transactions[0] as Signed
    // A repetition would only hear that it was processed; nodes repeat nothing by themselves, as that is done here.
    const skipPreflight = !this.#o.preflight || priority === 'resend'
    const config = { encoding: 'base64', skipPreflight, preflightCommitment: 'confirmed', maxRetries: 0 }
    const to = async (endpoint: Endpoint) =>
      sentOf(await endpoint.call('sendTransaction', [base64, config], { priority, isWanted }), endpoint.shown)
    if (this.#o.send === 'race') return this.#race(to)
    const tries: Sent[] = []
    for (const endpoint of this.#pool.inOrder) {
      // It may hold off for an hour; the next try comes sooner.
      if (tries.length > 0 && endpoint.bucket.isPaused) continue
      const sent = await to(endpoint)
      tries.push(sent)
      if (sent.is === 'accepted' || sent.isFinal) break
    }
    return together(tries)
  }

  /** The first that accepts, without waiting for those that hang. */
  #race(to: (endpoint: Endpoint) => Promise<Sent>): Promise<Sent> {
    return new Promise((resolve) => {
      const tries = this.#pool.endpoints.map(async (endpoint) => {
        const sent = await to(endpoint)
        if (sent.is === 'accepted') resolve(sent)
        return sent
      })
      void Promise.all(tries).then((all) => resolve(together(all)))
    })
  }
}

/** Whole bundles to a block engine. */
export class JitoRoute implements Route {
  readonly #client: JitoClient

  constructor(client: JitoClient) {
    this.#client = client
  }

  async send({ of: { transactions } }: Attempt, priority: Priority, isWanted: () => boolean): Promise<Sent> {
    const answer = await JitoClient.internals(this.#client).send(transactions, priority, isWanted)
    const said = answer.ok ? '' : answer.error.message
    // It is in a block, or in the auction, already: a send whose answer was lost.
    if (/already processed|duplicate bundle/i.test(said)) return { is: 'accepted', to: 'jito' }
    const sent = sentOf(answer, 'jito')
    // The engine may not know the newest one yet; one that is too old is for the chain to say.
    return sent.is === 'not' && /blockhash/i.test(said) ? { ...sent, isFinal: false } : sent
  }
}
