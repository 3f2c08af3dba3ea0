import type { Landed } from './landed.js'

/** Transactions that are known with their details; a soak would fill the memory with more. */
const DETAILED_MOST = 5000

/** All that landed, by signature, in order. */
export class History {
  readonly #landed: Map<string, Landed> = new Map()
  readonly #messages: Set<string> = new Set()
  #detailed: Landed[] = []

  get landed(): ReadonlyMap<string, Landed> {
    return this.#landed
  }

  has(messageHash: string): boolean {
    return this.#messages.has(messageHash)
  }

  add(entry: Landed): void {
    this.#landed.set(entry.signature, entry)
    this.#messages.add(entry.messageHash)
    this.#detailed.push(entry)
    if (this.#detailed.length < 2 * DETAILED_MOST) return
    for (const old of this.#detailed.slice(0, DETAILED_MOST)) old.details = undefined
    this.#detailed = this.#detailed.slice(DETAILED_MOST)
  }

  copy(): History {
    const copy = new History()
    for (const entry of this.#landed.values()) copy.add(entry)
    return copy
  }
}
