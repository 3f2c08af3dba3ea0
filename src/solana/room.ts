/** Places for transactions on their way: taken at once or not at all, or waited for. */
export class Room {
  readonly #most: number
  #taken = 0
  #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  get taken(): number {
    return this.#taken
  }

  get most(): number {
    return this.#most
  }

  has(places: number): boolean {
    return this.#taken + places <= this.#most
  }

  /** Whatever the limit: they are on their way already. */
  take(places: number): void {
    this.#taken += places
  }

  give(places: number): void {
    this.#taken -= places
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Waits until something is given back. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
