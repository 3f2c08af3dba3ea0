import type { Limits, SubmitterOptions, TransactionBuilder } from '../../solana.js'
import { L2Book } from '../book/l2-book.js'
import {
  checkInteger,
  checkList,
  checkName,
  checkOptions,
  checkSignal,
  checkString,
  refuse,
  words,
} from '../errors/check.js'
import { pathOf } from '../pipeline/path.js'
import { checkLamports, checkTemplate, checkTip, LEAST_TIP, LONGEST_MILLIS, MAX_U64 } from './checks.js'
import { memoTemplate } from './memo.js'
import { type RpcPlan, rpcOf } from './rpc-options.js'

const OPTIONS = [
  'rpc',
  'jito',
  'template',
  'signer',
  'limits',
  'journal',
  'name',
  'dryRun',
  'priorityFee',
  'tip',
  'tipAccounts',
  'commitment',
  'send',
  'preflight',
  'signAgain',
  'resendMillis',
  'pollMillis',
  'blockhashMillis',
  'buildMillis',
  'signal',
]
const LIMITS = ['maxLamports', 'windowMillis', 'maxTipLamports', 'maxInFlight', 'books']
/** A blockhash of 20 seconds is not signed with. */
const MOST_BLOCKHASH_MILLIS = 10_000

/** Options with nothing left open. */
export interface SubmitterPlan {
  readonly name: string
  readonly rpc: RpcPlan
  readonly template: TransactionBuilder
  readonly limits: Required<Limits>
  readonly journal: { readonly path: string; readonly fsync: boolean } | undefined
  readonly dryRun: boolean
  readonly priorityFee: NonNullable<SubmitterOptions['priorityFee']>
  readonly tip: NonNullable<SubmitterOptions['tip']>
  readonly tipAccounts: readonly string[]
  readonly commitment: 'confirmed' | 'finalized'
  readonly send: 'failOver' | 'race'
  readonly preflight: boolean
  readonly signAgain: number
  readonly resendMillis: number
  readonly pollMillis: number
  readonly blockhashMillis: number
  readonly buildMillis: number
  readonly signal: AbortSignal | undefined
}

function flag(field: string, value: boolean): boolean {
  return typeof value === 'boolean' ? value : refuse(field, 'true or false', value)
}

function oneOf<V extends string>(field: string, value: V, known: readonly V[]): V {
  return known.includes(value) ? value : refuse(field, known.map((one) => `'${one}'`).join(' or '), value)
}

function limitsOf(o: Limits): Required<Limits> {
  checkOptions(o, LIMITS, 'limits')
  const { books = [], maxTipLamports = MAX_U64 } = o
  for (const book of Array.from(checkList('limits.books', books)))
    if (!(book instanceof L2Book)) refuse('limits.books', 'L2Books', book)
  return {
    maxLamports: checkLamports('limits.maxLamports', o.maxLamports),
    windowMillis: checkInteger('limits.windowMillis', o.windowMillis ?? 60_000, 1),
    maxTipLamports: checkLamports('limits.maxTipLamports', maxTipLamports),
    maxInFlight: checkInteger('limits.maxInFlight', o.maxInFlight ?? 1_000, 1),
    books,
  }
}

function journalOf(o: SubmitterOptions['journal']): SubmitterPlan['journal'] {
  if (o === false) return undefined
  if (o === undefined) return refuse('journal', 'a path, or false for none', o)
  if (typeof o === 'string' || o instanceof URL) return { path: pathOf(o), fsync: true }
  checkOptions(o, ['path', 'fsync'], 'journal')
  return { path: pathOf(o.path), fsync: flag('journal.fsync', o.fsync ?? true) }
}

function templateOf({ template, signer, jito }: SubmitterOptions): TransactionBuilder {
  if (template === undefined && signer !== undefined) return memoTemplate({ signer, tip: jito !== undefined })
  const { feePayer } = checkTemplate(template as TransactionBuilder)
  if (signer !== undefined && signer.address !== feePayer)
    refuse('signer', `the one that the template has, ${feePayer}`, words(String(signer.address)))
  return template as TransactionBuilder
}

function feeOf(fee: SubmitterPlan['priorityFee']): SubmitterPlan['priorityFee'] {
  if (typeof fee === 'bigint') return checkLamports('priorityFee', fee)
  checkOptions(fee, ['percentile', 'max', 'accounts'], 'priorityFee')
  const { percentile, max, accounts = [] } = fee
  if (typeof percentile !== 'number' || !(percentile >= 0 && percentile <= 100))
    refuse('priorityFee.percentile', 'a number from 0 to 100', percentile)
  checkLamports('priorityFee.max', max)
  for (const account of Array.from(checkList('priorityFee.accounts', accounts)))
    checkString('priorityFee.accounts', account)
  return fee
}

function tipOf(tip: SubmitterPlan['tip']): SubmitterPlan['tip'] {
  if (typeof tip === 'bigint') return checkTip(tip)
  checkOptions(tip, ['source', 'max'], 'tip')
  if (typeof tip.source !== 'function')
    refuse('tip.source', 'a function that gives lamports, such as tipFloor()', tip.source)
  checkLamports('tip.max', tip.max, LEAST_TIP)
  return tip
}

export function planOf(o: SubmitterOptions): SubmitterPlan {
  checkOptions(o, OPTIONS, 'createSubmitter')
  checkSignal('signal', o.signal)
  const millis = (field: `${'resend' | 'poll' | 'blockhash' | 'build'}Millis`, usual: number, most = LONGEST_MILLIS) =>
    checkInteger(field, o[field] ?? usual, 1, most)
  return {
    name: checkName('name', o.name ?? 'submitter'),
    rpc: rpcOf(o.rpc),
    template: templateOf(o),
    limits: limitsOf(o.limits),
    journal: journalOf(o.journal),
    dryRun: flag('dryRun', o.dryRun ?? false),
    priorityFee: feeOf(o.priorityFee ?? 0n),
    tip: tipOf(o.tip ?? LEAST_TIP),
    tipAccounts: Array.from(checkList('tipAccounts', o.tipAccounts ?? []), (account) =>
      checkString('tipAccounts', account),
    ),
    commitment: oneOf('commitment', o.commitment ?? 'confirmed', ['confirmed', 'finalized']),
    send: oneOf('send', o.send ?? 'failOver', ['failOver', 'race']),
    preflight: flag('preflight', o.preflight ?? true),
    signAgain: checkInteger('signAgain', o.signAgain ?? 0, 0),
    resendMillis: millis('resendMillis', 2_000),
    pollMillis: millis('pollMillis', 1_000),
    blockhashMillis: millis('blockhashMillis', 2_000, MOST_BLOCKHASH_MILLIS),
    buildMillis: millis('buildMillis', 30_000),
    signal: o.signal,
  }
}
