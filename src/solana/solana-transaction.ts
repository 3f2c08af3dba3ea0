import type { toSolanaTransaction as Face } from '../../solana.js'
import { Transaction } from '../record/transaction.js'

const MEMO_PROGRAM = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
const FIELDS = Object.keys(Transaction.fields) as (keyof typeof Transaction.fields)[]
const encoder = new TextEncoder()

/** All fields as `memoTemplate` writes them, where the document's sketch kept a byte of each. */
export const toSolanaTransaction: typeof Face = (txn) => {
  const text = FIELDS.map((field) => String(txn[field])).join(',')
  return { instructions: [{ programAddress: MEMO_PROGRAM, data: encoder.encode(text) }] }
}
