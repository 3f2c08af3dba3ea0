import type * as Kit from '@solana/kit'
import { textOf } from '../errors/crossing.js'
import { VeloxError } from '../errors/velox-error.js'

/** `@solana/kit`, an optional peer: loaded by whoever needs it. */
export async function kit(): Promise<typeof Kit> {
  try {
    return await import('@solana/kit')
  } catch (cause) {
    throw new VeloxError('VELOX_PEER_MISSING', { peer: '@solana/kit', reason: textOf(cause) }, { cause })
  }
}

/** A message of kit with somebody who pays: of version 0, or legacy. */
export type KitMessage = Kit.TransactionMessage & Kit.TransactionMessageWithFeePayer
export type KitInstruction = Kit.Instruction
