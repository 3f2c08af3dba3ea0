import { type Address, type EncodedAccount, lamports } from '@solana/kit'
import { LiteSVM } from 'litesvm'
import { SYSTEM_PROGRAM, TIP_ACCOUNTS } from '../addresses.js'
import { Accounts } from './accounts.js'
import { type Block, Blocks } from './blocks.js'
import type { TransactionError } from './errors.js'
import { History } from './history.js'
import type { Dropped, Landed } from './landed.js'
import { nonceAccount, nonceOf } from './nonce.js'
import { OpenBlock, Refused } from './open-block.js'
import { Pending } from './pending.js'
import type { WireTransaction } from './transaction.js'

/** Slot and height differ, as they do where slots were skipped: whoever takes one for the other is found out. */
const FIRST_SLOT = 1000
const FIRST_HEIGHT = 940

/** Transactions that one block takes besides bundles; the others wait for the next. */
const TRANSACTIONS_MOST = 512

/** Hashes in the sysvar, for programs that look for a recent slot: lookup tables. */
const SLOT_HASHES = 16

/** What a tip account holds from the start: a small tip to an empty account would fail for its rent. */
const TIP_ACCOUNT_LAMPORTS = 10_000_000n

export interface ChainHooks {
  /** Whether a transaction is lost on its way to the leader. */
  isLost(transaction: WireTransaction): boolean
}

/** All that a chain is at one moment. */
export interface SavedChain {
  readonly vm: Uint8Array
  readonly accounts: Accounts
  readonly blocks: Blocks
  readonly history: History
}

/** The one chain that all nodes tell of: slots, blocks, blockhashes, what landed, and the VM that executes it. */
export class Chain {
  readonly genesisHash: string
  readonly pending: Pending = new Pending()
  /** What was accepted and can't land any more, in order. */
  readonly dropped: Dropped[] = []
  #accounts: Accounts
  #blocks: Blocks = new Blocks()
  #history: History = new History()
  #fork = 0
  readonly #seed: string
  readonly #hooks: ChainHooks
  readonly #makers: ((block: OpenBlock) => void)[] = []
  readonly #listeners: Set<(block: Block) => void> = new Set()

  constructor(seed: number, hooks: ChainHooks) {
    this.#seed = String(seed)
    this.#hooks = hooks
    this.genesisHash = Blocks.hash(`${seed}:genesis`)
    this.#accounts = new Accounts(ready(new LiteSVM()))
    for (const address of TIP_ACCOUNTS) this.fund(address, TIP_ACCOUNT_LAMPORTS)
    this.#close(FIRST_SLOT, FIRST_SLOT - 1, FIRST_HEIGHT, [])
  }

  get accounts(): Accounts {
    return this.#accounts
  }

  get blocks(): Blocks {
    return this.#blocks
  }

  get slot(): number {
    return this.#blocks.newest.slot
  }

  get height(): number {
    return this.#blocks.newest.height
  }

  /** What landed, by signature, in order. */
  get landed(): ReadonlyMap<string, Landed> {
    return this.#history.landed
  }

  /** Calls `listener` after each block; the function given back ends that. */
  onBlock(listener: (block: Block) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `maker` at the start of each block, before its transactions. */
  addMaker(maker: (block: OpenBlock) => void): void {
    this.#makers.push(maker)
  }

  /** The next `blocks` slots, with what was submitted. */
  tick(blocks = 1): void {
    for (let n = 0; n < blocks; n++) this.#next()
  }

  /** `blocks` slots with empty blocks: what was submitted waits, and its blockhash grows old. */
  jump(blocks: number): void {
    for (let n = 0; n < blocks; n++) this.#close(this.slot + 1, this.slot, this.height + 1, [])
  }

  /** Slots without a block: the slot goes on, the height doesn't. */
  skip(slots: number): void {
    const { slot, height } = this.#blocks.newest
    this.#close(slot + slots + 1, slot, height + 1, [])
  }

  /** A node has accepted the transaction and sends it to the leaders, again `retries` times where it is lost. */
  submit(transaction: WireTransaction, retries: number): void {
    this.pending.add(transaction, retries)
  }

  drop({ signature }: WireTransaction, reason: TransactionError): void {
    this.dropped.push({ signature, slot: this.slot, reason })
  }

  /** Puts lamports where there were none, as of always. */
  fund(address: Address, amount: bigint): void {
    const account = this.#accounts.svm.getAccount(address)
    const funded: EncodedAccount = account.exists
      ? { ...account, lamports: lamports(account.lamports + amount) }
      : {
          address,
          lamports: lamports(amount),
          data: new Uint8Array(),
          programAddress: SYSTEM_PROGRAM,
          executable: false,
          space: 0n,
        }
    this.#accounts.svm.setAccount(funded)
  }

  /** Why a transaction can't be in a block at `height`: its lifetime, or that it is there already. */
  check(transaction: WireTransaction, height: number): TransactionError | undefined {
    if (this.#history.has(transaction.messageHash)) return 'AlreadyProcessed'
    if (this.#blocks.isValidAt(transaction.blockhash, height)) return undefined
    const nonce = nonceAccount(transaction)
    if (nonce === undefined) return 'BlockhashNotFound'
    return nonceOf(this.#accounts.svm.getAccount(nonce)) === transaction.blockhash ? undefined : 'BlockhashNotFound'
  }

  save(): SavedChain {
    const { svm } = this.#accounts
    return {
      vm: svm.toBytes(),
      accounts: this.#accounts.copy(svm),
      blocks: this.#blocks.copy(),
      history: this.#history.copy(),
    }
  }

  /** Everything is as it was; what came after is gone, and the next blocks are others. */
  restore(saved: SavedChain): void {
    this.#fork++
    this.#accounts = saved.accounts.copy(ready(LiteSVM.fromBytes(saved.vm)))
    this.#blocks = saved.blocks.copy()
    this.#history = saved.history.copy()
    this.pending.clear()
  }

  #next(): void {
    const { slot, height } = this.#blocks.newest
    const check = (transaction: WireTransaction, at: number) => this.check(transaction, at)
    const block = new OpenBlock(slot + 1, height + 1, this.#accounts, check)
    for (const maker of this.#makers) maker(block)
    const taken = this.pending.take(
      block.slot,
      TRANSACTIONS_MOST,
      (transaction) => this.#hooks.isLost(transaction),
      (transaction) => this.drop(transaction, 'Lost'),
    )
    for (const transaction of taken) {
      const result = block.include(transaction)
      if (result instanceof Refused) this.drop(transaction, result.err)
    }
    this.#close(block.slot, slot, block.height, block.landed)
  }

  #close(slot: number, parent: number, height: number, landed: readonly Landed[]): void {
    const time = Math.floor(Date.now() / 1000)
    const block = { slot, parent, height, blockhash: Blocks.hash(`${this.#seed}:${this.#fork}:${slot}`), time, landed }
    this.#blocks.add(block)
    for (const entry of landed) this.#history.add(entry)
    this.#accounts.prune(slot)
    this.#prepareNext(slot, time)
    for (const listener of this.#listeners) listener(block)
  }

  /** The VM as the next block is to find it. */
  #prepareNext(slot: number, time: number): void {
    const { svm } = this.#accounts
    const clock = svm.getClock()
    clock.slot = BigInt(slot + 1)
    clock.unixTimestamp = BigInt(time)
    svm.setClock(clock)
    const recent = this.#blocks.latest(slot, SLOT_HASHES)
    svm.setSlotHashes(recent.map((block) => ({ slot: BigInt(block.slot), hash: block.blockhash })).reverse())
    // A durable nonce moves on by the VM's own blockhash.
    svm.expireBlockhash()
  }
}

/** Blockhashes and duplicates are the chain's own: the VM knows its newest blockhash only. */
const ready = (svm: LiteSVM) => svm.withBlockhashCheck(false).withTransactionHistory(0n)
