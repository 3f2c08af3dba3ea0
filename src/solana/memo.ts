import type { RecordType, Transaction as TransactionFace } from '../../index.js'
import type { Signer } from '../../solana.js'
import { checkOptions } from '../errors/check.js'
import { Transaction } from '../record/transaction.js'
import { baseOf, nativeTemplate } from './plan.js'
import type { TransactionTemplate } from './transaction-template.js'

const OPTIONS = ['signer', 'record', 'packing', 'tip']

/**
 * Each record as a memo: its fields in their order with commas in between, as `7,618003,100,bid,1,1723118400000000000`.
 * Needs no kit. The program is MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr; the message has a unit limit and a unit price.
 *
 * `packing`: how many records one transaction holds, 1 by default; VELOX_TRANSACTION_TOO_LONG says how many fit.
 * `tip`: whether room for one is kept, true by default.
 */
export function memoTemplate<T extends RecordType = typeof TransactionFace>(o: {
  signer: Signer
  record?: T
  packing?: number
  tip?: boolean
}): TransactionTemplate<T> {
  checkOptions(o, OPTIONS, 'memoTemplate')
  const record = o.record ?? (Transaction as unknown as T)
  return nativeTemplate(baseOf({ signers: [o.signer], record, packing: o.packing, tip: o.tip }))
}
