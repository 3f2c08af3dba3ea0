// How a script that waits for the other side of a ring sleeps, and is woken. Who sleeps raises a flag and looks once more;
// the other moves its cursor and looks at the flag: every access is sequentially consistent, so one of them sees the other.
import * as layout from './layout.js'

/** `Atomics.waitAsync`, where the runtime has it. */
type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
  millis: number,
) => { async: false } | { async: true; value: Promise<unknown> }

const waitAsync = (Atomics as { waitAsync?: WaitAsync }).waitAsync

/** The longest sleep at a time, so that a worker can be told to end. */
const SLICE_MILLIS = 50
/** The same where the other side is native code: that moves its cursor and knows nothing of sleepers here. */
const NATIVE_SLICE_MILLIS = 1

export class Bell {
  readonly #cells: Int32Array
  readonly #flag: number
  readonly #bell: number
  /** The cells of those who are waited for. */
  readonly #owners: readonly number[]

  constructor(cells: Int32Array, flag: number, bell: number, owners: readonly number[]) {
    this.#cells = cells
    this.#flag = flag
    this.#bell = bell
    this.#owners = owners
  }

  /** Wakes whoever sleeps. */
  ring(): void {
    if (Atomics.load(this.#cells, this.#flag) !== 0) this.#ring()
  }

  #ring(): void {
    Atomics.store(this.#cells, this.#flag, 0)
    Atomics.add(this.#cells, this.#bell, 1)
    Atomics.notify(this.#cells, this.#bell)
  }

  /** Sleeps until it rings, `millis` or a slice have passed, or not at all where `isReady`. Blocks the thread. */
  sleep(millis: number, isReady: () => boolean): void {
    const heard = this.#lieDown()
    if (isReady()) return
    Atomics.wait(this.#cells, this.#bell, heard, Math.min(millis, this.#slice()))
  }

  /** The same without blocking the thread; `wake` is given a function that ends the sleep. */
  async sleepAsync(isReady: () => boolean, wake: (up: () => void) => void): Promise<void> {
    const heard = this.#lieDown()
    if (isReady()) return
    const slice = waitAsync ? this.#slice() : NATIVE_SLICE_MILLIS
    const waiting = waitAsync?.(this.#cells, this.#bell, heard, slice)
    if (waiting?.async === false) return
    await new Promise<void>((resolve) => {
      // Also keeps the process alive, which the wait alone doesn't.
      const timer = setTimeout(resolve, slice)
      const up = () => {
        clearTimeout(timer)
        resolve()
      }
      wake(up)
      void waiting?.value.then(up)
    })
  }

  /** Raises the flag; gives the bell's count, at which the sleep begins. */
  #lieDown(): number {
    const heard = Atomics.load(this.#cells, this.#bell)
    Atomics.store(this.#cells, this.#flag, 1)
    return heard
  }

  #slice(): number {
    const isNative = this.#owners.some((cell) => Atomics.load(this.#cells, cell) >>> 0 >= layout.NATIVE_OWNERS)
    return isNative ? NATIVE_SLICE_MILLIS : SLICE_MILLIS
  }
}

/** Rung by the producer. */
export function recordsBell(cells: Int32Array): Bell {
  return new Bell(cells, layout.SLEEPS_FOR_RECORDS_CELL, layout.RECORDS_BELL_CELL, [layout.PRODUCER_CELL])
}

/** Rung by the consumer. */
export function roomBell(cells: Int32Array): Bell {
  return new Bell(cells, layout.SLEEPS_FOR_ROOM_CELL, layout.ROOM_BELL_CELL, [layout.CONSUMER_CELL])
}
