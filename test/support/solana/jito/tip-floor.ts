const LAMPORTS_PER_SOL = 1e9
const TIPS_MOST = 1000
const PERCENTILES = [25, 50, 75, 95, 99] as const

/** Lamports, before any tip has landed. */
const FIRST: Tips = [1000, 5000, 20_000, 200_000, 1_000_000]

/** Lamports at the percentiles 25, 50, 75, 95 and 99. */
export type Tips = readonly [number, number, number, number, number]

/** What landed bundles tipped lately, in the form of the engine's REST list. */
export class TipFloor {
  readonly #landed: number[] = []
  #ema: number | undefined
  readonly #fixed: Tips | undefined

  constructor(fixed: Tips | undefined) {
    this.#fixed = fixed
  }

  add(lamports: bigint): void {
    this.#landed.push(Number(lamports))
    if (this.#landed.length > TIPS_MOST) this.#landed.shift()
    const [, median] = this.#tips()
    this.#ema = this.#ema === undefined ? median : 0.9 * this.#ema + 0.1 * median
  }

  list(): readonly Readonly<Record<string, number | string>>[] {
    const tips = this.#tips()
    const landed = PERCENTILES.map((p, i) => [`landed_tips_${p}th_percentile`, (tips[i] as number) / LAMPORTS_PER_SOL])
    const ema = (this.#fixed ? tips[1] : (this.#ema ?? tips[1])) / LAMPORTS_PER_SOL
    return [{ time: new Date().toISOString(), ...Object.fromEntries(landed), ema_landed_tips_50th_percentile: ema }]
  }

  #tips(): Tips {
    if (this.#fixed) return this.#fixed
    if (this.#landed.length === 0) return FIRST
    const sorted = this.#landed.toSorted((a, b) => a - b)
    return PERCENTILES.map((p) => sorted[Math.floor((p / 100) * (sorted.length - 1))]) as unknown as Tips
  }
}
