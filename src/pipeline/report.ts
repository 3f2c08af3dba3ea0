import type { Report, Stats } from '../../index.js'

/** Stats and reports as JSON has them: `text` is how they read, `elapsedNanos` a number. */
export type RawStats = Omit<Stats, 'toString' | 'elapsedNanos'> & { text: string; elapsedNanos: number }
export type RawReport = Omit<Report, 'toString' | 'toJSON' | 'elapsedNanos'> & { text: string; elapsedNanos: number }

export function statsOf(raw: RawStats): Stats {
  const { text, elapsedNanos, ...rest } = raw
  return { ...rest, elapsedNanos: BigInt(elapsedNanos), toString: () => text }
}

export function reportOf(raw: RawReport): Report {
  const { text, elapsedNanos, ...rest } = raw
  return {
    ...rest,
    elapsedNanos: BigInt(elapsedNanos),
    toString: () => text,
    toJSON: () => ({ elapsedNanos, ...rest }),
  }
}
