import { type Address, getBase58Decoder, type MaybeEncodedAccount } from '@solana/kit'
import { SYSTEM_PROGRAM } from '../addresses.js'
import type { WireTransaction } from './transaction.js'

const ADVANCE_NONCE_ACCOUNT = 4

const base58 = getBase58Decoder()

/** The nonce account that a transaction lives by, which then stands first in it; undefined: it lives by a blockhash. */
export function nonceAccount({ instructions, accounts }: WireTransaction): Address | undefined {
  const [first] = instructions
  if (first?.program !== SYSTEM_PROGRAM || first.data.length !== 4 || first.data[0] !== ADVANCE_NONCE_ACCOUNT)
    return undefined
  return accounts[first.accounts[0] ?? -1]
}

/** The value in a nonce account: version and state (u32 each), authority, nonce (32 bytes each), fee. */
export function nonceOf(account: MaybeEncodedAccount): string | undefined {
  if (!account.exists || account.programAddress !== SYSTEM_PROGRAM || account.data.length !== 80) return undefined
  return base58.decode(account.data.subarray(40, 72))
}
