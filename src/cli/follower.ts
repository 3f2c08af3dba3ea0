import { VeloxError } from '../errors/velox-error.js'
import { Attached, findEngines, type Reading } from './engines.js'
import { type Sample, sampleOf } from './sample.js'

/** Reads a run again and again; after its end, the next run of the same name. */
export class Follower {
  #attached: Attached | undefined
  /** Of this run or, until the next one was read, of the one before. */
  #last: Reading | undefined
  #isNew = true

  /** @throws VeloxError VELOX_METRICS_REFUSED */
  constructor(path: string) {
    this.#attached = new Attached(path)
  }

  /**
   * What it says now; undefined while no such run goes.
   *
   * @throws VeloxError VELOX_METRICS_REFUSED: it went before it could be read once.
   */
  next(): Sample | undefined {
    this.#attached ??= this.#successor()
    if (this.#attached === undefined) return undefined
    const before = this.#isNew ? undefined : this.#last
    try {
      this.#last = this.#attached.read()
    } catch (error) {
      this.close()
      if (!(error instanceof VeloxError) || this.#last === undefined) throw error
      return before && { ...sampleOf(before, before, Date.now()), state: 'gone', message: error.message }
    }
    this.#isNew = false
    if (this.#last.state !== 'running') this.close()
    return sampleOf(this.#last, before, Date.now())
  }

  #successor(): Attached | undefined {
    const { run, startedMillis } = this.#last as Reading
    // Its number may be the same, as in a container: what tells them apart is the start.
    const later = findEngines().engines.filter((engine) => engine.run === run && engine.startedMillis > startedMillis)
    const [newest] = later.sort((a, b) => b.startedMillis - a.startedMillis)
    if (newest === undefined) return undefined
    this.#isNew = true
    try {
      return new Attached(newest.path)
    } catch (error) {
      if (error instanceof VeloxError) return undefined
      throw error
    }
  }

  close(): void {
    this.#attached?.close()
    this.#attached = undefined
  }
}
