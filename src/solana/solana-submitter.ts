import { setTimeout as delay } from 'node:timers/promises'
import type { Bundle, Infer, RingBuffer as RingFace } from '../../index.js'
import type { SolanaSubmitter as Face, Submitter } from '../../solana.js'
import { refuse } from '../errors/check.js'
import { TakingSink } from '../pipeline/sinks.js'
import { RingBuffer } from '../ring/ring-buffer.js'

/** An empty ring is looked at again after so long. */
const LOOK_MILLIS = 1
const MOST = 64

export class SolanaSubmitter implements Face {
  readonly #input: RingFace<typeof Bundle>
  readonly #submitter: TakingSink<typeof Bundle> & Submitter

  constructor(input: RingFace<typeof Bundle>, submitter: Submitter) {
    if (!(input instanceof RingBuffer)) refuse('input', 'a RingBuffer of Bundle', input)
    if (!(submitter instanceof TakingSink)) refuse('submitter', 'what createSubmitter() gave', submitter)
    this.#input = input
    this.#submitter = submitter as TakingSink<typeof Bundle> & Submitter
  }

  async run(shutdown: AbortSignal): Promise<void> {
    if (!(shutdown instanceof AbortSignal)) refuse('shutdown', 'an AbortSignal', shutdown)
    for (;;) {
      const isLast = shutdown.aborted || this.#input.isClosed
      let bundles: readonly Infer<typeof Bundle>[] = []
      this.#input.drain((batch) => {
        bundles = batch.toArray()
      }, MOST)
      if (bundles.length > 0) await this.#submitter.take(bundles)
      else if (isLast) return
      else await delay(LOOK_MILLIS)
    }
  }
}
