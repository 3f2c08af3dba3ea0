// The ends of a run on this thread: rings that native stages fill or empty, and that the event loop gets to as it can.
import { setImmediate as turn } from 'node:timers/promises'
import type { Batch, Element, Input } from '../../index.js'
import { refuse } from '../errors/check.js'
import { call, native, owned } from '../native.js'
import { ringSlot } from '../ring/native-ring.js'
import { RingBuffer } from '../ring/ring-buffer.js'
import type { OwnEnd } from './plan.js'

/** How long a callback may have the event loop at a time. */
const TURN_MILLIS = 8
const MOST = 1024
/** So many records a sink takes at a time: what is behind them waits in the ring. */
const MOST_TAKEN = 16
/** So many values between two looks at the clock. */
const LOOK_AFTER = 64

/** What an end needs of its run. */
export interface EndRun {
  /** Resolves when the run is over, with whether all that was on its way has arrived. */
  readonly over: Promise<boolean>
  wake(): void
  fail(stage: string, error: unknown): void
}

export class RunEnd {
  readonly stage: string
  readonly ring: RingBuffer<Element>
  readonly ringSlot: number
  readonly bell: number
  readonly #own: OwnEnd
  /** The callback of a tap or a sink is not called any more; it has seen all that arrived, or the run failed. */
  through: Promise<void> = Promise.resolve()
  #rung: (() => void) | undefined
  #isOver = false
  #isCut = false

  constructor(stage: string, own: OwnEnd) {
    this.stage = stage
    this.#own = own
    this.ring = new RingBuffer(own.type, Math.max(2, own.capacity))
    this.ringSlot = ringSlot(this.ring)
    // The native side holds the function: one that held this end would hold it for ever.
    const weak = new WeakRef(this)
    this.bell = owned(
      this,
      call(() =>
        native.doorbellNew(() => {
          const end = weak.deref()
          if (end) end.#ring()
        }),
      ),
    )
  }

  get kind(): OwnEnd['use']['kind'] {
    return this.#own.use.kind
  }

  get drops(): boolean {
    return this.#own.drops
  }

  #ring(): void {
    this.#rung?.()
    this.#rung = undefined
  }

  /** Starts what the end does by itself. */
  serve(run: EndRun): void {
    void run.over.then((isWhole) => {
      this.#isOver = true
      this.#isCut = !isWhole
      this.#ring()
    })
    const { use } = this.#own
    if (use.kind === 'iterable') void this.#fill(run, use.values)
    if (use.kind === 'sink') this.through = this.#give(run, use.take as (records: readonly unknown[]) => Promise<void>)
    if (use.kind === 'tap') this.through = this.#tap(run, use.f as (batch: Batch<Element>) => void)
  }

  /** Waits until the native side has moved records, or the run is over. `isReady`: whether there is no need to. */
  async #moved(isReady: () => boolean): Promise<void> {
    const rung = new Promise<void>((resolve) => {
      this.#rung = resolve
    })
    native.doorbellArm(this.bell)
    if (isReady() || this.#isOver) this.#ring()
    await rung
  }

  async #fill(run: EndRun, values: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    const { ring } = this
    let isThrough = false
    try {
      const [iterator, once] = opened(values)
      // One that is quiet would learn only at its next value that none is wanted any more.
      void run.over.then(() => (isThrough ? undefined : iterator.return?.())).catch(() => {})
      let until = performance.now() + TURN_MILLIS
      let count = 0
      for await (const value of once as AsyncIterable<Input<Element>>) {
        // Values that are there at once never give the event loop its turn by themselves.
        if (++count % LOOK_AFTER === 0 && performance.now() > until) {
          await turn()
          until = performance.now() + TURN_MILLIS
        }
        if (this.#isOver) return
        while (!ring.push(value)) {
          run.wake()
          await this.#moved(() => !ring.isFull)
          if (this.#isOver) return
        }
        run.wake()
      }
    } catch (error) {
      run.fail(this.stage, error)
    } finally {
      isThrough = true
      ring.close()
      run.wake()
    }
  }

  async #tap(run: EndRun, f: (batch: Batch<Element>) => void): Promise<void> {
    const { ring } = this
    const read = (batch: Batch<Element>) => {
      const answer: unknown = f(batch)
      if (!(answer instanceof Promise)) return
      answer.catch(() => {})
      refuse('tap', 'a function that is through with its batch at once', answer)
    }
    try {
      for (;;) {
        const until = performance.now() + TURN_MILLIS
        while (!this.#isCut && ring.drain(read, MOST) > 0 && performance.now() < until);
        run.wake()
        if (this.#isCut) return
        if (!ring.isEmpty) await turn()
        else if (this.#isOver) return
        else await this.#moved(() => !ring.isEmpty)
      }
    } catch (error) {
      // Nobody reads any more; the run ends by the error.
      native.doorbellAbandon(this.bell, true)
      run.fail(this.stage, error)
    }
  }

  async #give(run: EndRun, take: (records: readonly unknown[]) => Promise<void>): Promise<void> {
    const { ring } = this
    try {
      for (;;) {
        let records: readonly unknown[] = []
        if (!this.#isCut)
          ring.drain((batch) => {
            records = batch.toArray()
          }, MOST_TAKEN)
        run.wake()
        if (this.#isCut) return
        if (records.length > 0) {
          await take(records)
          await turn()
        } else if (this.#isOver) return
        else await this.#moved(() => !ring.isEmpty)
      }
    } catch (error) {
      // Nobody takes any more; the run ends by the error.
      native.doorbellAbandon(this.bell, true)
      run.fail(this.stage, error)
    }
  }

  /** Says whether anybody reads: what comes while nobody does counts as dropped. */
  abandon(abandoned: boolean): void {
    native.doorbellAbandon(this.bell, abandoned)
  }

  /** Batches as the event loop gets to them; each is valid until the next. */
  async *batches(run: EndRun, signal: AbortSignal | undefined): AsyncGenerator<Batch<Element>> {
    const { ring } = this
    const stop = () => this.#ring()
    signal?.addEventListener('abort', stop)
    try {
      while (!signal?.aborted) {
        const batch = ring.lend(MOST)
        if (batch) {
          try {
            yield batch
          } finally {
            ring.giveBack()
            run.wake()
          }
        } else if (this.#isOver) return
        else await this.#moved(() => !ring.isEmpty || signal?.aborted === true)
      }
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }
}

/** An iterable's iterator, and the rest of it as an iterable. */
function opened(
  values: AsyncIterable<unknown> | Iterable<unknown>,
): [AsyncIterator<unknown> | Iterator<unknown>, AsyncIterable<unknown> | Iterable<unknown>] {
  if (Symbol.asyncIterator in values) {
    const iterator = values[Symbol.asyncIterator]()
    return [iterator, { [Symbol.asyncIterator]: () => iterator }]
  }
  const iterator = values[Symbol.iterator]()
  return [iterator, { [Symbol.iterator]: () => iterator }]
}
