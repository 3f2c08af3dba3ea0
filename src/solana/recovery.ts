import type { JournalEntry } from './journal-entries.js'

type Built = Extract<JournalEntry, { kind: 'built' }>

/** What was spent, and when it was known: epoch milliseconds. */
export interface Charge {
  readonly at: number
  readonly lamports: bigint
}

/** What a journal says of the time before: what is still on its way, and what was spent lately. */
export function recovered(entries: readonly JournalEntry[]): { open: Built[]; spent: Charge[] } {
  const open = new Map<string, Built>()
  const spent: Charge[] = []
  for (const entry of entries) {
    if (entry.kind === 'ended') {
      open.delete(entry.id)
      const lamports = BigInt(entry.spentLamports)
      if (lamports > 0n) spent.push({ at: entry.at, lamports })
      continue
    }
    if (entry.replaces !== undefined) open.delete(entry.replaces)
    const [first] = entry.transactions
    if (first) open.set(first.signature, entry)
  }
  return { open: [...open.values()], spent }
}

/** What a journal has to say after so long: what is on its way, and all of late. Takes its entries in their order. */
export class Needed {
  readonly #sinceMillis: number
  readonly #kept = new Set<JournalEntry>()
  readonly #open = new Map<string, Built>()

  constructor(sinceMillis: number) {
    this.#sinceMillis = sinceMillis
  }

  get entries(): JournalEntry[] {
    return [...this.#kept]
  }

  add(entry: JournalEntry): void {
    if (entry.kind === 'built') {
      if (entry.replaces !== undefined) this.#ended(entry.replaces)
      this.#open.set((entry.transactions[0] as { signature: string }).signature, entry)
      this.#kept.add(entry)
      // What stays has to stay ended, whatever the clock did in between.
    } else if (this.#ended(entry.id) || this.#isLate(entry)) this.#kept.add(entry)
  }

  #isLate({ at }: JournalEntry): boolean {
    return at >= this.#sinceMillis
  }

  /** Whether its first entry stays all the same. */
  #ended(id: string): boolean {
    const built = this.#open.get(id)
    this.#open.delete(id)
    if (!built || this.#isLate(built)) return built !== undefined
    this.#kept.delete(built)
    return false
  }
}
