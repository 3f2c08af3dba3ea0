import type { WireTransaction } from './transaction.js'

/** Slots between two attempts of a node to get a transaction to the leader: 2 s of 400 ms each. */
const RETRY_SLOTS = 5

interface Entry {
  readonly transaction: WireTransaction
  retriesLeft: number
  dueSlot: number
}

/** Transactions that nodes have accepted and that are in no block yet, in the order in which they came. */
export class Pending {
  #entries: Entry[] = []
  readonly #messages: Set<string> = new Set()

  get length(): number {
    return this.#entries.length
  }

  /** The same message twice is one. */
  add(transaction: WireTransaction, retries: number): void {
    if (this.#messages.has(transaction.messageHash)) return
    this.#messages.add(transaction.messageHash)
    this.#entries.push({ transaction, retriesLeft: retries, dueSlot: 0 })
  }

  /**
   * Those that reach the leader of `slot`, at most `most`; what `isLost` on the way is sent again later by its node, as
   * often as was asked, and then given up.
   */
  take(
    slot: number,
    most: number,
    isLost: (transaction: WireTransaction) => boolean,
    givenUp: (transaction: WireTransaction) => void,
  ): readonly WireTransaction[] {
    const taken: WireTransaction[] = []
    const kept: Entry[] = []
    for (const entry of this.#entries) {
      const { transaction } = entry
      if (taken.length >= most || entry.dueSlot > slot) {
        kept.push(entry)
      } else if (!isLost(transaction)) {
        taken.push(transaction)
      } else if (entry.retriesLeft > 0) {
        entry.retriesLeft--
        entry.dueSlot = slot + RETRY_SLOTS
        kept.push(entry)
      } else {
        this.#messages.delete(transaction.messageHash)
        givenUp(transaction)
      }
    }
    for (const { messageHash } of taken) this.#messages.delete(messageHash)
    this.#entries = kept
    return taken
  }

  clear(): void {
    this.#entries = []
    this.#messages.clear()
  }
}
