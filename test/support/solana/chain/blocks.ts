import { createHash } from 'node:crypto'
import { getBase58Decoder } from '@solana/kit'
import type { Landed } from './landed.js'

/** Blocks after its own in which a blockhash is still good (MAX_PROCESSING_AGE). */
export const BLOCKHASH_AGE_MOST = 150

/** Blocks that are remembered; a node can't lag further than that. */
const BLOCKS_MOST = 2048

export interface Block {
  readonly slot: number
  readonly parent: number
  readonly height: number
  readonly blockhash: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly landed: readonly Landed[]
}

const base58 = getBase58Decoder()

/** The blocks of the one fork that there is, oldest first. */
export class Blocks {
  #blocks: Block[] = []
  readonly #byHash: Map<string, Block> = new Map()

  static hash(seed: string): string {
    return base58.decode(createHash('sha256').update(seed).digest())
  }

  get newest(): Block {
    return this.#blocks.at(-1) as Block
  }

  add(block: Block): void {
    this.#blocks.push(block)
    this.#byHash.set(block.blockhash, block)
    if (this.#blocks.length > BLOCKS_MOST) this.#byHash.delete((this.#blocks.shift() as Block).blockhash)
  }

  /** The newest block at or before `slot`; the oldest that is remembered where there is none. */
  at(slot: number): Block {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#blocks[middle] as Block).slot <= slot) low = middle
      else high = middle - 1
    }
    return this.#blocks[low] as Block
  }

  /** Blocks after `slot` up to `last`, in order. */
  between(slot: number, last: number): readonly Block[] {
    return this.#blocks.filter((block) => block.slot > slot && block.slot <= last)
  }

  /** The newest `count` blocks up to `slot`, in order. */
  latest(slot: number, count: number): readonly Block[] {
    const end = this.#blocks.indexOf(this.at(slot)) + 1
    return this.#blocks.slice(Math.max(0, end - count), end)
  }

  byHash(blockhash: string): Block | undefined {
    return this.#byHash.get(blockhash)
  }

  /** Whether a transaction with this blockhash may be in a block at `height`. */
  isValidAt(blockhash: string, height: number): boolean {
    const block = this.#byHash.get(blockhash)
    return block !== undefined && block.height < height && height <= block.height + BLOCKHASH_AGE_MOST
  }

  copy(): Blocks {
    const copy = new Blocks()
    for (const block of this.#blocks) copy.add(block)
    return copy
  }
}
