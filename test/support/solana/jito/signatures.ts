import { createPublicKey, verify } from 'node:crypto'
import { type Address, getAddressEncoder } from '@solana/kit'
import type { WireTransaction } from '../chain/transaction.js'

/** What stands before a raw ed25519 key in DER (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

const addresses = getAddressEncoder()

function isSignedBy(name: Address, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([DER_PREFIX, Buffer.from(addresses.encode(name))])
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
}

/** Whether every signature is there and right. */
export function isSigned({ transaction }: WireTransaction): boolean {
  const message = new Uint8Array(transaction.messageBytes)
  return Object.entries(transaction.signatures).every(
    ([name, signature]) => signature !== null && isSignedBy(name as Address, message, signature),
  )
}
