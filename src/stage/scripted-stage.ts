import type { Element, L2Book } from '../../index.js'
import { checkFunction, refuse, words } from '../errors/check.js'
import { call, native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { apartWith } from '../ring/apart.js'
import { CLOSE, OPEN } from '../ring/batch.js'
import { strideOf } from '../ring/layout.js'
import { StageBatch } from './batch.js'
import type { StageModule } from './define-stage.js'
import { StageWriter } from './writer.js'

/** How an answer is told to the native side: a kind, and 4 × the number of records. */
const WROTE = 1
const KEPT = 2

const { input: READ_MOST, output: WRITE_MOST } = native.batchSizes()

/** Parameters as they are in memory, where the native side sets them between two batches. */
function paramsOf(names: readonly string[], values: Float64Array): Readonly<Record<string, number>> {
  const params = {}
  for (const [i, name] of names.entries()) {
    Object.defineProperty(params, name, { get: () => values[i], enumerable: true })
  }
  return Object.freeze(params)
}

/** A stage's own instance in its worker, and the memory that it shares with the native side. */
export class ScriptedStage {
  /** Counted from the source. */
  readonly index: number
  readonly name: string
  readonly #poll: (batch: unknown, out: unknown) => unknown
  readonly #close: (() => unknown) | undefined
  readonly #batch: StageBatch<Element>
  readonly #out: StageWriter<Element>
  readonly #mayKeep: boolean
  /** What it has done so far; a batch of which nothing goes on is filtered where records pass as they are. */
  #kind: number

  constructor(
    host: number,
    name: string,
    stage: StageModule,
    x: { params: Readonly<Record<string, number>>; books: () => Readonly<Record<string, L2Book>> },
  ) {
    this.name = name
    const [input, output] = [codecOf(stage.input), codecOf(stage.output)]
    const [inputStride, outputStride] = [strideOf(input.byteLength), strideOf(output.byteLength)]
    const params = Object.keys(x.params)
    const read = new SharedArrayBuffer(READ_MOST * inputStride + 8 * params.length)
    const written = new SharedArrayBuffer(Math.max(WRITE_MOST * outputStride, READ_MOST * 4))
    // Filled so that its pages are there before the first records are.
    const [readBytes, writtenBytes] = [new Uint8Array(read).fill(0), new Uint8Array(written).fill(0)]
    this.index = call(() => native.hostStage(host, name, readBytes, writtenBytes))
    this.#mayKeep = stage.input === stage.output || input.signature === output.signature
    this.#kind = this.#mayKeep ? KEPT : WROTE
    this.#batch = new StageBatch(input, { host, stage: this.index, memory: read, most: READ_MOST })
    this.#out = new StageWriter(written, output, outputStride, WRITE_MOST, this.#mayKeep)
    const values = new Float64Array(read, READ_MOST * inputStride, params.length)
    let looks = false
    const own = stage.open({
      params: paramsOf(params, values),
      // A stage that asks for the books sees each as of its records' own instant, which costs others their batches.
      get books() {
        looks = true
        return x.books()
      },
    })
    if (looks) native.hostWatch(host, this.index)
    if (typeof own?.poll !== 'function') refuse('open', 'an object with a poll function', own)
    checkFunction('poll', 'a function that is through with its batch', own.poll)
    this.#poll = own.poll.bind(own)
    this.#close = own.close?.bind(own)
  }

  /** Runs the script over the records that lie in place; gives its answer. A record that comes alone pays for each line. */
  poll(count: number): number {
    const batch = this.#batch
    const out = this.#out
    batch[OPEN](count)
    out[OPEN](count)
    const answer = apartWith(this.#poll, batch, out)
    batch[CLOSE]()
    out[CLOSE]()
    if (answer !== undefined) this.#take(answer, count)
    if (out.wrote > 0) return this.#wrote()
    const kept = out.kept
    return kept > 0 ? kept * 4 + KEPT : this.#kind
  }

  #wrote(): number {
    const { wrote, keeps, kept } = this.#out
    if (keeps) refuse('poll', 'records written or the indices of those that pass', words(`both, and ${kept} that pass`))
    this.#kind = WROTE
    return wrote * 4 + WROTE
  }

  #take(kept: unknown, count: number): void {
    if (!(kept instanceof Uint32Array)) refuse('poll', 'nothing or a Uint32Array, at once', kept)
    if (!this.#mayKeep) refuse('poll', 'records written to the output, as it is of another type', kept)
    if (this.#out.wrote + this.#out.kept > 0 || kept.length > count) {
      refuse('poll', 'records written or the indices of those that pass', kept)
    }
    this.#out.keepAll(kept)
    this.#kind = KEPT
  }

  /** After a poll that threw, its batches are still open. */
  async close(): Promise<void> {
    this.#batch[CLOSE]()
    this.#out[CLOSE]()
    await this.#close?.()
  }
}
