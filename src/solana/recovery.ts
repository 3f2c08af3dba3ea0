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

/** What a journal has to say after so long: what is on its way, and all of late. */
export function stillNeeded(entries: readonly JournalEntry[], sinceMillis: number): JournalEntry[] {
  const open = new Set<JournalEntry>(recovered(entries).open)
  return entries.filter((entry) => open.has(entry) || entry.at >= sinceMillis)
}
