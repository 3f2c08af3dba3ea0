import type { Row } from '../../solana.js'
import type { AttemptOf } from './attempt.js'
import type { Built } from './builds.js'
import { bundleIdOf } from './bundle-id.js'
import { MAX_U64 } from './checks.js'
import type { JournalEntry } from './journal-entries.js'

export const signaturesOf = ({ transactions }: Pick<AttemptOf, 'transactions'>): string[] =>
  transactions.map(({ signature }) => signature)

/** What is sent together, and ends together: a bundle as a whole, else each transaction. */
export function attemptsOf(rows: readonly Row[], built: Built, isBundle: boolean): AttemptOf[] {
  // No block height ends what lives by a durable nonce.
  const hasNonce = built.transactions.some((transaction) => transaction.hasNonce)
  const lastValidBlockHeight = hasNonce ? MAX_U64 : built.lastValidBlockHeight
  // One by one: a builder's objects may have getters.
  const transactions = built.transactions.map(({ signature, base64, records, lamports, tipLamports }) => {
    return { signature, base64, records, lamports, tipLamports }
  })
  if (isBundle) {
    const bundleId = bundleIdOf(signaturesOf({ transactions }))
    return [{ transactions, lastValidBlockHeight, rows, bundleId, resumed: false }]
  }
  let at = 0
  return transactions.map((one) => {
    const own = rows.slice(at, at + one.records)
    at += one.records
    return { transactions: [one], lastValidBlockHeight, rows: own, resumed: false }
  })
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
  const { transactions, lastValidBlockHeight, bundleId } = entry
  return {
    transactions: transactions.map((one) => ({
      ...one,
      lamports: BigInt(one.lamports),
      tipLamports: BigInt(one.tipLamports),
    })),
    lastValidBlockHeight: BigInt(lastValidBlockHeight),
    bundleId,
    rows: [],
    resumed: true,
  }
}
