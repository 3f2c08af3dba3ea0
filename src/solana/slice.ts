import { setImmediate as turn } from 'node:timers/promises'

/** So long the event loop is kept at a time. */
const MILLIS = 1

/** Work that is cut into slices: timers and sockets have their turn in between. */
export class Slice {
  #began = performance.now()

  /** Between two pieces of work. */
  async rest(): Promise<void> {
    if (performance.now() - this.#began < MILLIS) return
    await turn()
    this.#began = performance.now()
  }
}
