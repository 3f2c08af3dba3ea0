/** The same numbers from the same seed on every machine (xoshiro128**, https://prng.di.unimi.it/xoshiro128starstar.c). */
export class Random {
  readonly #s: Uint32Array = new Uint32Array(4)

  constructor(seed: number) {
    // The state is filled by splitmix32, so that small seeds differ as much as large ones.
    let x = seed >>> 0
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0
      let z = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      this.#s[i] = z ^ (z >>> 16)
    }
  }

  /** A float in 0 ≤ x < 1. */
  float(): number {
    const s = this.#s as unknown as [number, number, number, number]
    const five = Math.imul(s[1], 5)
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0
    const shifted = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = (s[3] << 11) | (s[3] >>> 21)
    return result / 2 ** 32
  }

  /** An integer in 0 ≤ x < `end`. */
  below(end: number): number {
    return Math.floor(this.float() * end)
  }
}
