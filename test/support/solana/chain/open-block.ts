import type { Address } from '@solana/kit'
import { FailedTransactionMetadata } from 'litesvm'
import { MEMO_PROGRAMS, TIP_ACCOUNTS } from '../addresses.js'
import type { Accounts } from './accounts.js'
import { type TransactionError, transactionError } from './errors.js'
import { fee } from './fees.js'
import type { Landed } from './landed.js'
import { writableAccounts } from './lookups.js'
import type { WireTransaction } from './transaction.js'

/** What the chain says of a transaction before it is executed: an error, or nothing. */
export type Check = (transaction: WireTransaction, height: number) => TransactionError | undefined

export class Refused {
  readonly index: number
  readonly err: TransactionError

  constructor(err: TransactionError, index = 0) {
    this.err = err
    this.index = index
  }
}

const tips: ReadonlySet<Address> = new Set(TIP_ACCOUNTS)
const utf8 = new TextDecoder()

const memosOf = ({ instructions }: WireTransaction) =>
  instructions.filter(({ program }) => MEMO_PROGRAMS.has(program)).map(({ data }) => utf8.decode(data))

/** The block that is being made: transactions are executed into it one after the other. */
export class OpenBlock {
  readonly landed: Landed[] = []
  readonly #messages: Set<string> = new Set()
  readonly slot: number
  readonly height: number
  readonly #accounts: Accounts
  readonly #check: Check

  constructor(slot: number, height: number, accounts: Accounts, check: Check) {
    this.slot = slot
    this.height = height
    this.#accounts = accounts
    this.#check = check
  }

  /** Executes a transaction; it lands, well or failed, or is refused and nothing happens. */
  include(transaction: WireTransaction, bundleId?: string): Landed | Refused {
    const err = this.#messages.has(transaction.messageHash) ? 'AlreadyProcessed' : this.#check(transaction, this.height)
    if (err !== undefined) return new Refused(err)
    const landed = this.#execute(transaction, bundleId)
    if (landed instanceof Refused) return landed
    this.landed.push(landed)
    this.#messages.add(transaction.messageHash)
    return landed
  }

  /** Executes a bundle: all of it lands well, or nothing of it happens. */
  includeAll(
    transactions: readonly WireTransaction[],
    bundleId: string,
    tipLeast: bigint,
  ): readonly Landed[] | Refused {
    const first = this.landed.length
    this.#accounts.begin()
    let tip = 0n
    for (const [index, transaction] of transactions.entries()) {
      const result = this.include(transaction, bundleId)
      if (result instanceof Refused) return this.#rollBack(first, index, result.err)
      if (result.err !== null) return this.#rollBack(first, index, result.err)
      tip += result.tipLamports
    }
    if (tip < tipLeast) return this.#rollBack(first, transactions.length - 1, 'TipTooLow')
    this.#accounts.commit()
    return this.landed.slice(first)
  }

  #rollBack(first: number, index: number, err: TransactionError): Refused {
    this.#accounts.rollBack()
    for (const { messageHash } of this.landed.splice(first)) this.#messages.delete(messageHash)
    return new Refused(err, index)
  }

  #execute(transaction: WireTransaction, bundleId: string | undefined): Landed | Refused {
    const accounts = this.#accounts
    const writable = writableAccounts(transaction, accounts)
    for (const address of writable) accounts.beforeWrite(address, this.slot)
    const before = writable.map((address) => accounts.lamports(address))
    let result: ReturnType<typeof accounts.svm.sendTransaction>
    try {
      result = accounts.svm.sendTransaction(transaction.transaction)
    } catch {
      // What litesvm throws for is a signature that is not there.
      return new Refused('SignatureFailure')
    }
    const balances = new Map(
      writable.map((address, i) => [address, [before[i] ?? 0n, accounts.lamports(address)] as const]),
    )
    const failed = result instanceof FailedTransactionMetadata ? result : undefined
    const err = failed ? transactionError(failed.err()) : null
    const [paidFrom = 0n, paidTo = 0n] = balances.get(transaction.feePayer) ?? []
    // Only what could pay its fee is in a block.
    if (err !== null && paidTo >= paidFrom) return new Refused(err)
    const meta = result instanceof FailedTransactionMetadata ? result.meta() : result
    let tipLamports = 0n
    for (const [address, [from, to]] of balances) if (tips.has(address) && to > from) tipLamports += to - from
    return {
      signature: transaction.signature,
      messageHash: transaction.messageHash,
      feePayer: transaction.feePayer,
      slot: this.slot,
      height: this.height,
      err,
      feeLamports: fee(transaction),
      tipLamports,
      ...(bundleId === undefined ? {} : { bundleId }),
      memos: err === null ? memosOf(transaction) : [],
      details: { transaction, logs: meta.logs(), unitsConsumed: meta.computeUnitsConsumed(), balances },
    }
  }
}
