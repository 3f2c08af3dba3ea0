import type { Address } from '@solana/kit'
import type { TransactionError } from './errors.js'
import type { WireTransaction } from './transaction.js'

/** A transaction that is in a block, whether it went well or failed there. */
export interface Landed {
  readonly signature: string
  readonly transaction: WireTransaction
  readonly slot: number
  readonly height: number
  /** Its place in the block. */
  readonly index: number
  readonly err: TransactionError | null
  readonly logs: readonly string[]
  readonly unitsConsumed: bigint
  readonly feeLamports: bigint
  /** What the tip accounts got of it. */
  readonly tipLamports: bigint
  /** The bundle that it came in. */
  readonly bundleId?: string
  /** The accounts that it could write: their lamports before and after. */
  readonly balances: ReadonlyMap<Address, readonly [before: bigint, after: bigint]>
  /** The texts of its memos. */
  readonly memos: readonly string[]
}

/** A transaction that was accepted, and can't land any more. */
export interface Dropped {
  readonly signature: string
  readonly slot: number
  /** The error with which it was refused, or `fault`. */
  readonly reason: TransactionError
}
