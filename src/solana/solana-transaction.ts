import type { toSolanaTransaction as Face } from '../../solana.js'

const MEMO_PROGRAM = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
const encoder = new TextEncoder()

/** All fields, where the document's sketch kept a byte of each. */
export const toSolanaTransaction: typeof Face = (txn) => {
  const text = JSON.stringify(txn, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  return { instructions: [{ programAddress: MEMO_PROGRAM, data: encoder.encode(text) }] }
}
