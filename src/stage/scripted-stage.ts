import type { Element, L2Book } from '../../index.js'
import { refuse } from '../errors/check.js'
import { call, native } from '../native.js'
import { codecOf } from '../record/codec.js'
import { DURING, RingBatch } from '../ring/batch.js'
import { strideOf } from '../ring/layout.js'
import type { StageModule } from './define-stage.js'
import { CLOSE, OPEN, StageWriter } from './writer.js'

/** How an answer is told to the native side. */
export const WROTE = 1
export const KEPT = 2

const { input: READ_MOST, output: WRITE_MOST } = native.batchSizes()

/** A stage's own instance in its worker, and the memory that it shares with the native side. */
export class ScriptedStage {
  /** Counted from the source. */
  readonly index: number
  readonly name: string
  readonly #poll: (batch: unknown, out: unknown) => undefined | Uint32Array
  readonly #close: (() => void) | undefined
  readonly #batch: RingBatch<Element>
  readonly #out: StageWriter<Element>
  readonly #indices: Uint32Array
  readonly #mayKeep: boolean

  constructor(
    host: number,
    name: string,
    stage: StageModule,
    x: { params: Readonly<Record<string, number>>; books: Readonly<Record<string, L2Book>> },
  ) {
    this.name = name
    const [input, output] = [codecOf(stage.input), codecOf(stage.output)]
    const [inputStride, outputStride] = [strideOf(input.byteLength), strideOf(output.byteLength)]
    const read = new SharedArrayBuffer(READ_MOST * inputStride)
    const written = new SharedArrayBuffer(Math.max(WRITE_MOST * outputStride, READ_MOST * 4))
    this.index = call(() => native.hostStage(host, name, new Uint8Array(read), new Uint8Array(written)))
    this.#batch = new RingBatch(new DataView(read), input, 0, inputStride, -1)
    this.#out = new StageWriter(new DataView(written), output, outputStride, WRITE_MOST)
    this.#indices = new Uint32Array(written)
    this.#mayKeep = stage.input === stage.output || input.signature === output.signature
    const own = stage.open(x)
    if (typeof own?.poll !== 'function') refuse('open', 'an object with a poll function', own)
    this.#poll = own.poll.bind(own)
    this.#close = own.close?.bind(own)
  }

  /** Runs the script over the records that lie in place; gives its answer and how many records it is about. */
  poll(count: number): [kind: number, count: number] {
    let kept: unknown
    this.#out[OPEN]()
    this.#batch[DURING](0, count, (batch) => {
      kept = this.#poll(batch, this.#out)
    })
    const wrote = this.#out[CLOSE]()
    if (kept === undefined) return [WROTE, wrote]
    if (!(kept instanceof Uint32Array)) refuse('poll', 'nothing or a Uint32Array, at once', kept)
    if (!this.#mayKeep) refuse('poll', 'records written to the output, as it is of another type', kept)
    if (wrote > 0 || kept.length > count) refuse('poll', 'records written or the indices of those that pass', kept)
    this.#indices.set(kept)
    return [KEPT, kept.length]
  }

  close(): void {
    this.#close?.()
  }
}
