import { address } from '@solana/kit'
import type { Chain } from './chain/chain.js'
import type { TransactionError } from './chain/errors.js'
import type { Dropped, Landed } from './chain/landed.js'
import type { BlockEngine, BundleEntry } from './jito/engine.js'

/** A transaction that landed, for tests: {@link Landed} as plain data. */
export interface LedgerEntry {
  readonly signature: string
  readonly feePayer: string
  readonly slot: number
  readonly err: TransactionError | null
  readonly feeLamports: bigint
  readonly tipLamports: bigint
  readonly bundleId?: string
  /** The texts of its memos; none where it failed. */
  readonly memos: readonly string[]
}

const entry = (landed: Landed): LedgerEntry => ({
  signature: landed.signature,
  feePayer: landed.feePayer,
  slot: landed.slot,
  err: landed.err,
  feeLamports: landed.feeLamports,
  tipLamports: landed.tipLamports,
  ...(landed.bundleId === undefined ? {} : { bundleId: landed.bundleId }),
  memos: landed.memos,
})

/** The truth of a chain, as of its newest block. */
export class Ledger {
  readonly #chain: Chain
  readonly #engine: BlockEngine

  constructor(chain: Chain, engine: BlockEngine) {
    this.#chain = chain
    this.#engine = engine
  }

  balance(of: string): bigint {
    return this.#chain.accounts.lamports(address(of))
  }

  /** All that landed, in order; of one fee payer only, where it is said. */
  landed(feePayer?: string): readonly LedgerEntry[] {
    return [...this.#chain.landed.values()]
      .filter((landed) => feePayer === undefined || landed.feePayer === feePayer)
      .map(entry)
  }

  transaction(signature: string): LedgerEntry | undefined {
    const landed = this.#chain.landed.get(signature)
    return landed && entry(landed)
  }

  /** How often each memo has landed: 1, unless something was sent twice. */
  memos(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { memos } of this.#chain.landed.values())
      for (const memo of memos) counts.set(memo, (counts.get(memo) ?? 0) + 1)
    return counts
  }

  /** Lamports that `feePayer` paid for what landed: fees, and tips of what went well. */
  spent(feePayer: string): { readonly feeLamports: bigint; readonly tipLamports: bigint } {
    let feeLamports = 0n
    let tipLamports = 0n
    for (const landed of this.landed(feePayer)) {
      feeLamports += landed.feeLamports
      tipLamports += landed.tipLamports
    }
    return { feeLamports, tipLamports }
  }

  /** What was accepted and can't land any more. */
  dropped(): readonly Dropped[] {
    return this.#chain.dropped
  }

  /** Every bundle that was accepted, and what became of it. */
  bundles(): readonly BundleEntry[] {
    return [...this.#engine.history.values()]
  }
}
