import type { SignedTransaction } from '../../solana.js'
import { checkInteger, checkList, refuse, words } from '../errors/check.js'
import { checkLamports } from './checks.js'
import { wireOf } from './wire.js'

const MOST_WIRE_BYTES = 1_232
const MOST_BASE64 = 4 * Math.ceil(MOST_WIRE_BYTES / 3)

function checkTransaction({ signature, base64, records, lamports, tipLamports }: SignedTransaction): void {
  if (typeof signature !== 'string' || typeof base64 !== 'string')
    refuse('build()', 'signed transactions', words('others'))
  if (base64.length > MOST_BASE64) {
    const got = words(`${Math.floor((base64.length * 3) / 4)} bytes`)
    refuse('build()', `transactions of at most ${MOST_WIRE_BYTES} bytes`, got)
  }
  checkInteger('build(): records', records, 1)
  checkLamports('build(): lamports', lamports)
  checkLamports('build(): tipLamports', tipLamports)
}

/**
 * A transaction is asked for by its signature, and is over once its blockhash is: one that has others than it says could land after
 * it was signed again.
 */
function checkWire({ signature, base64, hasNonce }: SignedTransaction, blockhash: string): void {
  const wire = wireOf(base64) ?? refuse('build()', 'whole transactions', words('fewer bytes'))
  if (wire.signature !== signature) refuse('build(): signature', wire.signature, signature)
  if (hasNonce === true && wire.nonce === undefined)
    refuse('build(): hasNonce', 'a first instruction that advances a nonce', words('another'))
  if (hasNonce !== true && wire.blockhash !== blockhash)
    refuse('build()', `the context's blockhash ${blockhash}, or hasNonce`, words(wire.blockhash))
}

/** What a builder gave, held to what it has to give: one that is not ours (`isOurs`) is wrong one day. */
export function checkedTransactions(
  transactions: readonly SignedTransaction[],
  o: { readonly records: number; readonly blockhash: string; readonly isOurs: boolean },
): readonly SignedTransaction[] {
  const list = Array.from(checkList('build()', transactions))
  list.forEach(checkTransaction)
  if (!o.isOurs) for (const one of list) checkWire(one, o.blockhash)
  const packed = list.reduce((sum, one) => sum + one.records, 0)
  if (packed !== o.records) refuse('build()', `transactions of all ${o.records} records`, words(`${packed} of them`))
  return list
}
