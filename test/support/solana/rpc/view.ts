import type { Block } from '../chain/blocks.js'
import type { Chain } from '../chain/chain.js'
import type { Landed } from '../chain/landed.js'

export type Commitment = 'processed' | 'confirmed' | 'finalized'

/** Slots until a block is confirmed and finalized. */
export interface Ages {
  readonly confirmedSlots: number
  readonly finalizedSlots: number
}

/** The chain as one node sees it: some slots behind, where it lags. */
export class View {
  /** How many slots the node is behind. */
  lagSlots = 0
  #frozenSlot: number | undefined
  readonly chain: Chain
  readonly ages: Ages

  constructor(chain: Chain, ages: Ages) {
    this.chain = chain
    this.ages = ages
  }

  /** Sees no further block until `thaw`. */
  freeze(): void {
    this.#frozenSlot = this.head.slot
  }

  thaw(): void {
    this.#frozenSlot = undefined
  }

  /** The newest block that the node knows. */
  get head(): Block {
    const { chain } = this
    return chain.blocks.at(Math.min(chain.slot - this.lagSlots, this.#frozenSlot ?? Infinity))
  }

  get behindSlots(): number {
    return this.chain.slot - this.head.slot
  }

  /** The newest block of a commitment. */
  block(commitment: Commitment): Block {
    const { slot } = this.head
    if (commitment === 'processed') return this.head
    const { confirmedSlots, finalizedSlots } = this.ages
    return this.chain.blocks.at(slot - (commitment === 'confirmed' ? confirmedSlots : finalizedSlots))
  }

  /** What landed in a block of that commitment. */
  landed(signature: string, commitment: Commitment = 'processed'): Landed | undefined {
    const landed = this.chain.landed.get(signature)
    return landed && landed.slot <= this.block(commitment).slot ? landed : undefined
  }

  commitmentOf(slot: number): Commitment {
    if (slot <= this.block('finalized').slot) return 'finalized'
    return slot <= this.block('confirmed').slot ? 'confirmed' : 'processed'
  }
}
