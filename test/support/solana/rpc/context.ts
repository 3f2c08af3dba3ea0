import type { Address } from '@solana/kit'
import type { WireTransaction } from '../chain/transaction.js'
import type { View } from './view.js'

export const VERSION = '3.1.0'

/** What the methods of a node have to work with. */
export interface NodeContext {
  readonly view: View
  /** Slots behind from which on the node says that it is unhealthy. */
  readonly unhealthySlots: number
  /** Micro-lamports a unit that every block is told to have cost at least. */
  readonly priorityFloor: number
  /** Sends `transaction` to the leaders. */
  submit(transaction: WireTransaction, retries: number): void
  /** A signed transfer from the faucet. */
  airdrop(to: Address, lamports: bigint, blockhash: string): Promise<WireTransaction>
}

export type Method = (params: readonly unknown[], node: NodeContext) => unknown

/** A value, and the slot as of which it is so. */
export const asOf = (slot: number, value: unknown) => ({ context: { apiVersion: VERSION, slot }, value })
