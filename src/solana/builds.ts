import type { Row, SignedTransaction } from '../../solana.js'
import { VeloxError } from '../errors/velox-error.js'
import type { BlockhashSource } from './blockhash.js'
import { checkedTransactions } from './checked-transactions.js'
import { priorityFees, tips } from './fees.js'
import { checkBundle, JitoClient, MOST_TRANSACTIONS } from './jito-client.js'
import type { Pool } from './net/pool.js'
import type { SubmitterPlan } from './submitter-options.js'
import { TransactionTemplate } from './transaction-template.js'
import { within } from './within.js'

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
    this.#tip = tips(plan.tip, plan.buildMillis, signal)
    this.#tipAccounts = plan.tipAccounts
    // So that the first bundle doesn't wait for them.
    if (jito) this.#accounts(jito).catch(() => {})
  }

  /** Records that are signed together: what fits one bundle of Jito's, else all; at most so many transactions. */
  groups(rows: readonly Row[], transactions = Number.POSITIVE_INFINITY): (readonly Row[])[] {
    const most = Math.min(transactions, this.#jito ? MOST_TRANSACTIONS : transactions)
    const step = Math.min(most * this.#plan.template.recordsPerTransaction, rows.length)
    const groups: (readonly Row[])[] = []
    for (let at = 0; at < rows.length; at += step) groups.push(rows.slice(at, at + step))
    return groups
  }

  /** How many transactions records become. */
  transactionsOf(rows: readonly Row[]): number {
    return Math.ceil(rows.length / this.#plan.template.recordsPerTransaction)
  }

  async build(rows: readonly Row[]): Promise<Built> {
    const { template, buildMillis } = this.#plan
    const [computeUnitPrice, tip] = await Promise.all([this.#price(), this.#tipOf()])
    this.#checkTip(tip?.lamports ?? 0n)
    // Last, so that it is the newest.
    const newest = await this.#blockhash.fresh()
    if (!newest)
      throw (
        this.#blockhash.failure ?? new VeloxError('VELOX_SUBMITTER_HALTED', { reason: 'no node tells a new blockhash' })
      )
    const context = { ...newest, computeUnitPrice, ...(tip && { tip }) }
    const isOurs = template instanceof TransactionTemplate
    const { blockhash } = newest
    const made = await within(buildMillis, 'the builder', template.build(rows, context))
    const transactions = checkedTransactions(made, { records: rows.length, blockhash, isOurs })
    this.#checkTip(transactions.reduce((sum, { tipLamports }) => sum + tipLamports, 0n))
    if (this.#jito) checkBundle(transactions)
    return { transactions, lastValidBlockHeight: newest.lastValidBlockHeight }
  }

  #checkTip(got: bigint): void {
    const { maxTipLamports: max } = this.#plan.limits
    if (got > max) throw new VeloxError('VELOX_LIMIT_REACHED', { limit: 'limits.maxTipLamports', max, got })
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
    this.#tipAccounts = answer.result
    this.#tipAccountsUntil = performance.now() + TIP_ACCOUNTS_MILLIS
  }
}
