import type { Bundle as Face, Infer, Transaction as TransactionFace } from '../../index.js'
import { refuse } from '../errors/check.js'
import { type FieldSpec, nanos, type RecordSpec, u32 } from './fields.js'
import { declare } from './record.js'
import { Transaction } from './transaction.js'

type Transactions = (typeof Face)['fields']['transactions']

const transactions: FieldSpec = Object.freeze({ kind: 'records', of: Transaction as unknown as RecordSpec, most: 16 })

export const Bundle: typeof Face = declare('Bundle', {
  transactions: transactions as unknown as Transactions,
  count: u32,
  createdTsNs: nanos,
})

export function activeTransactions(b: Infer<typeof Face>): readonly Infer<typeof TransactionFace>[] {
  if (!Array.isArray(b?.transactions)) refuse('b', 'a Bundle', b)
  return b.transactions.slice(0, b.count)
}
