import type { TransactionBuilder } from '../../solana.js'
import { checkInteger, checkString, kindOf, refuse } from '../errors/check.js'

/** Jito takes no bundle for less. */
export const LEAST_TIP = 1_000n
export const MAX_U64: bigint = 2n ** 64n - 1n
/** A timer that is to run longer runs at once. */
export const LONGEST_MILLIS: number = 2 ** 31 - 1

export function checkLamports(field: string, value: bigint, least = 0n): bigint {
  const fits = typeof value === 'bigint' && value >= least && value <= MAX_U64
  return fits ? value : refuse(field, `a bigint of at least ${least}n`, value)
}

export function checkTip(tip: bigint): bigint {
  return checkLamports('tip', tip, LEAST_TIP)
}

export function checkTemplate(template: TransactionBuilder): TransactionBuilder {
  if (typeof template?.build !== 'function')
    return refuse('template', 'a TransactionBuilder, with build()', kindOf(template))
  checkString('template.feePayer', template.feePayer)
  checkInteger('template.recordsPerTransaction', template.recordsPerTransaction, 1)
  return template
}
