import type { Address } from '@solana/kit'
import type { TransactionError } from './errors.js'
import type { WireTransaction } from './transaction.js'

/** What is only known of the newest transactions. */
export interface LandedDetails {
  readonly transaction: WireTransaction
  readonly logs: readonly string[]
  readonly unitsConsumed: bigint
  /** The accounts that it could write: their lamports before and after. */
  readonly balances: ReadonlyMap<Address, readonly [before: bigint, after: bigint]>
}

/** A transaction that is in a block, whether it went well or failed there. */
export interface Landed {
  readonly signature: string
  readonly messageHash: string
  readonly feePayer: Address
  readonly slot: number
  readonly height: number
  readonly err: TransactionError | null
  readonly feeLamports: bigint
  /** What the tip accounts got of it. */
  readonly tipLamports: bigint
  /** The bundle that it came in. */
  readonly bundleId?: string
  /** The texts of its memos; none where it failed. */
  readonly memos: readonly string[]
  details: LandedDetails | undefined
}

/** A transaction that was accepted, and can't land any more. */
export interface Dropped {
  readonly signature: string
  readonly slot: number
  /** The error with which it was refused, or `fault`. */
  readonly reason: TransactionError
}
