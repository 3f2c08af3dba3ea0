import type { Row, SignedTransaction } from '../../solana.js'
import { checkList, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import type { BlockhashSource } from './blockhash.js'
import { priorityFees, tips } from './fees.js'
import { checkBundle, JitoClient, MOST_TRANSACTIONS } from './jito-client.js'
import type { Pool } from './net/pool.js'
import type { SubmitterPlan } from './submitter-options.js'

const MOST_WIRE_BYTES = 1_232
const MOST_BASE64 = 4 * Math.ceil(MOST_WIRE_BYTES / 3)
/** Tip accounts hardly ever change. */
const TIP_ACCOUNTS_MILLIS = 3_600_000

export interface Built {
  readonly transactions: readonly SignedTransaction[]
  readonly lastValidBlockHeight: bigint
}

/** Signs records with what is known of the chain now. */
export class Builds {
  readonly #plan: SubmitterPlan
  readonly #blockhash: BlockhashSource
  readonly #jito: JitoClient | undefined
  readonly #price: () => Promise<bigint>
  readonly #tip: () => Promise<bigint>
  #tipAccounts: readonly string[]
  #tipAccountsUntil = 0
  #asking: Promise<void> | undefined

  constructor(
    plan: SubmitterPlan,
    blockhash: BlockhashSource,
    pool: Pool,
    jito: JitoClient | undefined,
    signal: AbortSignal,
  ) {
    this.#plan = plan
    this.#blockhash = blockhash
    this.#jito = jito
    this.#price = priorityFees(plan.priorityFee, pool)
    this.#tip = tips(plan.tip, signal)
    this.#tipAccounts = plan.tipAccounts
    // So that the first bundle doesn't wait for them.
    if (jito) this.#accounts(jito).catch(() => {})
  }

  /** Records that are signed together: what fits one bundle of Jito's, else all. */
  groups(rows: readonly Row[]): (readonly Row[])[] {
    const most = this.#jito ? MOST_TRANSACTIONS * this.#plan.template.recordsPerTransaction : rows.length
    const groups: (readonly Row[])[] = []
    for (let at = 0; at < rows.length; at += most) groups.push(rows.slice(at, at + most))
    return groups
  }

  /** How many transactions records become. */
  transactionsOf(rows: readonly Row[]): number {
    return Math.ceil(rows.length / this.#plan.template.recordsPerTransaction)
  }

  async build(rows: readonly Row[]): Promise<Built> {
    const { template, limits } = this.#plan
    const [computeUnitPrice, tip] = await Promise.all([this.#price(), this.#tipOf()])
    if (tip && tip.lamports > limits.maxTipLamports)
      throw new VeloxError('VELOX_LIMIT_REACHED', {
        limit: 'limits.maxTipLamports',
        max: limits.maxTipLamports,
        got: tip.lamports,
      })
    // Last, so that it is the newest.
    const newest = await this.#blockhash.fresh()
    if (!newest)
      throw this.#blockhash.failure ?? new VeloxError('VELOX_SUBMITTER_HALTED', { reason: 'no node tells a blockhash' })
    const context = { ...newest, computeUnitPrice, ...(tip && { tip }) }
    const transactions = checkTransactions(await template.build(rows, context), rows.length)
    if (this.#jito) checkBundle(transactions)
    return { transactions, lastValidBlockHeight: newest.lastValidBlockHeight }
  }

  async #tipOf(): Promise<{ lamports: bigint; account: string } | undefined> {
    if (!this.#jito) return undefined
    const accounts = await this.#accounts(this.#jito)
    return { lamports: await this.#tip(), account: accounts[Math.floor(Math.random() * accounts.length)] as string }
  }

  async #accounts(jito: JitoClient): Promise<readonly string[]> {
    if (this.#plan.tipAccounts.length > 0) return this.#plan.tipAccounts
    if (performance.now() >= this.#tipAccountsUntil) {
      this.#asking ??= this.#askAccounts(jito).finally(() => {
        this.#asking = undefined
      })
      if (this.#tipAccounts.length === 0) await this.#asking
      else this.#asking.catch(() => {})
    }
    return this.#tipAccounts
  }

  async #askAccounts(jito: JitoClient): Promise<void> {
    const answer = await JitoClient.internals(jito).tipAccounts()
    if (!answer.ok) throw answer.error
    if (answer.result.length === 0) refuse('tipAccounts', 'at least one from the block engine', words('none'))
    this.#tipAccounts = answer.result
    this.#tipAccountsUntil = performance.now() + TIP_ACCOUNTS_MILLIS
  }
}

/** What a builder gave, held to what it has to give: one that is not ours is wrong one day. */
function checkTransactions(transactions: readonly SignedTransaction[], records: number): readonly SignedTransaction[] {
  const list = Array.from(checkList('build()', transactions))
  for (const { signature, base64, lamports, tipLamports } of list) {
    if (typeof signature !== 'string' || typeof base64 !== 'string') refuse('build()', 'signed transactions', list)
    if (base64.length > MOST_BASE64)
      refuse(
        'build()',
        `transactions of at most ${MOST_WIRE_BYTES} bytes`,
        words(`${Math.floor((base64.length * 3) / 4)} bytes`),
      )
    if (typeof lamports !== 'bigint' || typeof tipLamports !== 'bigint')
      refuse('build()', 'lamports and tipLamports as bigints', lamports)
  }
  const packed = list.reduce((sum, one) => sum + one.records, 0)
  return packed === records
    ? list
    : refuse('build()', `transactions of all ${records} records`, words(`${packed} of them`))
}
