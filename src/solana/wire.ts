// What the bytes of a signed transaction say of it: https://solana.com/docs/core/transactions.

import { native } from '../native.js'

const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export function base58Of(bytes: Uint8Array): string {
  let text = ''
  for (let rest = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`); rest > 0n; rest /= 58n)
    text = (DIGITS[Number(rest % 58n)] as string) + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text
}

/** The account that a transaction lives by, and the value in it. */
export interface DurableNonce {
  readonly account: string
  readonly value: string
}

export interface Wire {
  /** The first one, in base58. */
  readonly signature: string
  /** Base58; of a transaction with a durable nonce that nonce. */
  readonly blockhash: string
  readonly nonce: DurableNonce | undefined
}

const ADVANCE_NONCE_ACCOUNT = 4

/** Lamports that a signed transaction pays in fees; undefined for one that can't be read. */
export function feesOf(base64: string): bigint | undefined {
  const bytes = Buffer.from(base64, 'base64')
  // The number of signatures fits one byte: no more than twelve fit a transaction.
  const message = bytes.subarray(1 + 64 * (bytes[0] ?? 0))
  try {
    return native.messageFees(new Uint8Array(message))
  } catch {
    return undefined
  }
}

/** What the bytes of a transaction say; undefined for what is too short. */
export function wireOf(base64: string): Wire | undefined {
  const bytes = Buffer.from(base64, 'base64')
  let at = 0
  const take = (count: number) => {
    at += count
    return bytes.subarray(at - count, at)
  }
  // Lengths have seven bits a byte, the lowest first; those here fit two.
  const length = () => {
    const [low = 0] = take(1)
    return low < 0x80 ? low : (low & 0x7f) | ((take(1)[0] ?? 0) << 7)
  }
  const signatures = take(64 * length())
  // A version is one byte more before the header of three.
  take((bytes[at] ?? 0) >= 0x80 ? 4 : 3)
  const accounts = take(32 * length())
  const last = take(32)
  if (signatures.length === 0 || last.length !== 32) return undefined
  const blockhash = base58Of(last)
  const account = (index: number) => accounts.subarray(32 * index, 32 * index + 32)
  const nonceAccount = (): Buffer | undefined => {
    if (length() === 0) return undefined
    const isSystem = account(take(1)[0] ?? 0).every((byte) => byte === 0)
    const [first = 255] = take(length())
    const data = take(length())
    return isSystem && data.length === 4 && data.readUInt32LE() === ADVANCE_NONCE_ACCOUNT ? account(first) : undefined
  }
  const nonce = nonceAccount()
  return {
    signature: base58Of(signatures.subarray(0, 64)),
    blockhash,
    // One of a lookup table isn't among the message's own; the network takes none such.
    nonce: nonce?.length === 32 ? { account: base58Of(nonce), value: blockhash } : undefined,
  }
}
