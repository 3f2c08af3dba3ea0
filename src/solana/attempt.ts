import type { VeloxError as VeloxErrorFace } from '../../index.js'
import type { Outcome, Row, SignedTransaction, SubmissionState } from '../../solana.js'
import { VeloxError } from '../errors/velox-error.js'
import { type DurableNonce, feesOf } from './wire.js'

/** What has to be known of a transaction that is signed; a journal keeps no more. */
export type Signed = Omit<SignedTransaction, 'wire' | 'hasNonce'>

/** What a node says of a signature. */
export interface Seen {
  readonly slot: bigint
  /** The chain's own error; null for none. */
  readonly err: unknown
  /** Whether it has the wanted commitment. */
  readonly isFinal: boolean
}

type Last = { readonly is: 'open' } | { readonly is: 'seen'; readonly seen: Seen } | { readonly is: 'gone' }

/** What is the same in all its states. */
export interface AttemptOf {
  readonly transactions: readonly Signed[]
  readonly lastValidBlockHeight: bigint
  /** By transaction; where one of them lives by a nonce. */
  readonly nonces?: readonly (DurableNonce | undefined)[] | undefined
  readonly rows: readonly Row[]
  readonly bundleId?: string | undefined
  readonly replaces?: string | undefined
  readonly resumed: boolean
}

const ENDS = ['landed', 'failed', 'expired', 'simulated']
export const isOutcome = (state: SubmissionState): state is Outcome => ENDS.includes(state.state)

/** One submission: transactions that were signed once, from their signing to their end. Each method gives the new state, if there is one. */
export class Attempt {
  readonly of: AttemptOf
  /** `performance.now()` when it was built. */
  readonly builtAt = performance.now()
  /** Whether any of it may have reached a server. */
  mayLand: boolean
  /** Why it was last not sent. */
  error: VeloxErrorFace | undefined
  /** Of one that lives by a nonce: the block height behind which a nonce that has changed is a later one. */
  settledFrom: bigint | undefined
  #state: SubmissionState
  readonly #last: Last[]

  constructor(of: AttemptOf) {
    this.of = of
    this.mayLand = of.resumed
    this.#last = of.transactions.map(() => ({ is: 'open' }))
    this.#state = this.#with({ state: 'built', lastValidBlockHeight: of.lastValidBlockHeight })
  }

  /** Its first signature. */
  get id(): string {
    return (this.of.transactions[0] as Signed).signature
  }

  get state(): SubmissionState {
    return this.#state
  }

  get isOpen(): boolean {
    return !isOutcome(this.#state)
  }

  /** At most what it can cost. */
  get lamports(): bigint {
    return this.of.transactions.reduce((sum, { lamports, tipLamports }) => sum + lamports + tipLamports, 0n)
  }

  #with(state: object): SubmissionState {
    const { transactions, bundleId, replaces, rows, resumed } = this.of
    return {
      signatures: transactions.map(({ signature }) => signature),
      ...(bundleId !== undefined && { bundleId }),
      records: transactions.reduce((sum, { records }) => sum + records, 0),
      rows,
      resumed,
      ...(replaces !== undefined && { replaces }),
      ...state,
    } as unknown as SubmissionState
  }

  #become(state: object): SubmissionState {
    this.#state = this.#with(state)
    return this.#state
  }

  sent(to: string): SubmissionState | undefined {
    return this.#state.state === 'built' ? this.#become({ state: 'sent', to }) : undefined
  }

  /** It was refused, and none of it has ever reached a server. */
  refused(error: VeloxErrorFace): SubmissionState | undefined {
    return this.isOpen ? this.#become({ state: 'failed', error, spentLamports: 0n }) : undefined
  }

  seen(place: number, seen: Seen): SubmissionState | undefined {
    if (!this.isOpen) return undefined
    this.#last[place] = { is: 'seen', seen }
    return (
      this.#judged() ??
      (this.#state.state === 'pending' ? undefined : this.#become({ state: 'pending', slot: seen.slot }))
    )
  }

  /** A node that is past its last block doesn't know it. */
  gone(place: number): SubmissionState | undefined {
    if (!this.isOpen) return undefined
    this.#last[place] = { is: 'gone' }
    return this.#judged()
  }

  /** The end, once there is one for every transaction. */
  #judged(): SubmissionState | undefined {
    const last = this.#last
    if (last.some((one) => one.is === 'open' || (one.is === 'seen' && !one.seen.isFinal))) return undefined
    const { transactions, bundleId = '', lastValidBlockHeight } = this.of
    if (last.every(({ is }) => is === 'gone'))
      return this.#become({ state: 'expired', lastValidBlockHeight, ...(this.error && { error: this.error }) })
    const landed: string[] = []
    const missing: string[] = []
    let failed: { signature: string; err: unknown } | undefined
    let spentLamports = 0n
    let slot = 0n
    for (const [place, { signature, base64, lamports, tipLamports }] of transactions.entries()) {
      const one = last[place] as Last
      if (one.is !== 'seen') {
        missing.push(signature)
        continue
      }
      if (one.seen.slot > slot) slot = one.seen.slot
      if (one.seen.err === null) {
        landed.push(signature)
        spentLamports += lamports + tipLamports
        continue
      }
      failed ??= { signature, err: one.seen.err }
      // An error undoes all but the fees.
      spentLamports += feesOf(base64) ?? lamports
    }
    if (failed) {
      const context = { signature: failed.signature, reason: JSON.stringify(failed.err) }
      return this.#become({
        state: 'failed',
        error: new VeloxError('VELOX_TRANSACTION_FAILED', context),
        spentLamports,
      })
    }
    if (missing.length > 0) {
      const error = new VeloxError('VELOX_BUNDLE_SPLIT', { bundleId, landed, missing })
      return this.#become({ state: 'failed', error, spentLamports })
    }
    return this.#become({ state: 'landed', slot, spentLamports })
  }

  /** Says what it was signed again as; it has expired. */
  replacedBy(signature: string): SubmissionState {
    return this.#become({ ...this.#state, replacedBy: signature })
  }
}
