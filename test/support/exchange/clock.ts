/** The process's monotonic clock at the start of the epoch, found where `Date.now()` steps. */
const offset = (() => {
  let best = 0n
  for (let i = 0; i < 5; i++) {
    const before = Date.now()
    while (Date.now() === before) {}
    const found = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
    // The step is seen late, never early: the largest offset is the best one; one that was interrupted is far smaller.
    if (i === 0 || found > best) best = found
  }
  return best
})()

/** Nanoseconds since the epoch, within some microseconds of the system's clock at the start of the process. */
export const epochNanos = (): bigint => process.hrtime.bigint() + offset

/** When each book event was first sent. */
export class Stamps {
  readonly #stamps: Map<string, Map<number, bigint>> = new Map()
  readonly #most: number

  /** Keeps up to `most` events a symbol, the first ones. */
  constructor(most: number) {
    this.#most = most
  }

  add(symbol: string, sequence: number): void {
    const stamps = this.#stamps.get(symbol) ?? new Map<number, bigint>()
    this.#stamps.set(symbol, stamps)
    if (stamps.size < this.#most && !stamps.has(sequence)) stamps.set(sequence, epochNanos())
  }

  at(symbol: string, sequence: number): bigint | undefined {
    return this.#stamps.get(symbol)?.get(sequence)
  }

  /** `[sequence, nanoseconds]` of a symbol, in the order of sending. */
  all(symbol: string): [number, bigint][] {
    return [...(this.#stamps.get(symbol) ?? [])]
  }
}
