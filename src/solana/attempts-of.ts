import type { Row } from '../../solana.js'
import type { AttemptOf } from './attempt.js'
import type { Built } from './builds.js'
import { bundleIdOf } from './bundle-id.js'
import { MAX_U64 } from './checks.js'
import type { JournalEntry } from './journal-entries.js'
import { type DurableNonce, wireOf } from './wire.js'

export const signaturesOf = ({ transactions }: Pick<AttemptOf, 'transactions'>): string[] =>
  transactions.map(({ signature }) => signature)

/** What is sent together, and ends together: a bundle as a whole, else each transaction. */
export function attemptsOf(rows: readonly Row[], built: Built, isBundle: boolean): AttemptOf[] {
  // One by one: a builder's objects may have getters.
  const transactions = built.transactions.map(({ signature, base64, records, lamports, tipLamports }) => {
    return { signature, base64, records, lamports, tipLamports }
  })
  const noncesBy = built.transactions.map(({ base64, hasNonce }) => (hasNonce ? wireOf(base64)?.nonce : undefined))
  if (isBundle) {
    const bundleId = bundleIdOf(signaturesOf({ transactions }))
    return [{ transactions, ...lifeOf(noncesBy, built.lastValidBlockHeight), rows, bundleId, resumed: false }]
  }
  let at = 0
  return transactions.map((one, i) => {
    const own = rows.slice(at, at + one.records)
    at += one.records
    return { transactions: [one], ...lifeOf([noncesBy[i]], built.lastValidBlockHeight), rows: own, resumed: false }
  })
}

/** No block height ends what lives by a durable nonce: its nonce does, by becoming another. */
function lifeOf(
  nonces: readonly (DurableNonce | undefined)[],
  lastValidBlockHeight: bigint,
): Pick<AttemptOf, 'lastValidBlockHeight' | 'nonces'> {
  return nonces.some((nonce) => nonce) ? { lastValidBlockHeight: MAX_U64, nonces } : { lastValidBlockHeight }
}

/** What the journal keeps of one. */
export function entryOf({ transactions, lastValidBlockHeight, bundleId, replaces }: AttemptOf): JournalEntry {
  return {
    kind: 'built',
    at: Date.now(),
    transactions: transactions.map(({ lamports, tipLamports, ...one }) => ({
      ...one,
      lamports: String(lamports),
      tipLamports: String(tipLamports),
    })),
    lastValidBlockHeight: String(lastValidBlockHeight),
    ...(bundleId !== undefined && { bundleId }),
    ...(replaces !== undefined && { replaces }),
  }
}

/** The same, back from the journal: its records are gone with the process that had them. */
export function resumedOf(entry: JournalEntry & { kind: 'built' }): AttemptOf {
  const { transactions, bundleId } = entry
  const lastValidBlockHeight = BigInt(entry.lastValidBlockHeight)
  const hasNonce = lastValidBlockHeight === MAX_U64
  const nonces = transactions.map(({ base64 }) => (hasNonce ? wireOf(base64)?.nonce : undefined))
  return {
    transactions: transactions.map((one) => ({
      ...one,
      lamports: BigInt(one.lamports),
      tipLamports: BigInt(one.tipLamports),
    })),
    ...lifeOf(nonces, lastValidBlockHeight),
    bundleId,
    rows: [],
    resumed: true,
  }
}
