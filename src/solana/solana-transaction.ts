import type { toSolanaTransaction as Face } from '../../solana.js'
import { codecOf } from '../record/codec.js'
import { Transaction } from '../record/transaction.js'

const MEMO_PROGRAM = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
const FIELDS = Object.keys(Transaction.fields) as (keyof typeof Transaction.fields)[]
const encoder = new TextEncoder()
const codec = codecOf(Transaction)
const scratch = new DataView(new ArrayBuffer(codec.byteLength))

/** All fields as `memoTemplate` writes them, where the document's sketch kept a byte of each. */
export const toSolanaTransaction: typeof Face = (txn) => {
  // A field that is missing or doesn't fit is refused, as it is by `memoTemplate`.
  codec.write(scratch, 0, txn)
  const text = FIELDS.map((field) => String(txn[field])).join(',')
  return { instructions: [{ programAddress: MEMO_PROGRAM, data: encoder.encode(text) }] }
}
