import { getBase58Encoder } from '@solana/kit'
import { Malformed, parseTransaction, WIRE_MOST, type WireTransaction } from '../chain/transaction.js'
import { invalidParams } from '../json-rpc.js'

const TYPE = 'solana_transaction::versioned::VersionedTransaction'

/** The longest texts that can hold a transaction. */
const MOST = { base58: 1683, base64: 1644 } as const

const base58 = getBase58Encoder()

export type WireEncoding = keyof typeof MOST

const isBase64 = (value: string) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)

/** The bytes of an encoded text, with the refusals of RPC nodes. */
export function decodeBytes(value: string, encoding: unknown, type: string = TYPE): Uint8Array {
  if (encoding !== 'base58' && encoding !== 'base64')
    throw invalidParams(`unsupported encoding: ${String(encoding)}. Supported encodings: base58, base64`)
  if (value.length > MOST[encoding])
    throw invalidParams(
      `${encoding} encoded ${type} too large: ${value.length} bytes (max: encoded/raw ${MOST[encoding]}/${WIRE_MOST})`,
    )
  if (encoding === 'base64') {
    if (!isBase64(value)) throw invalidParams('invalid base64 encoding: InvalidByte')
    return new Uint8Array(Buffer.from(value, 'base64'))
  }
  try {
    return new Uint8Array(base58.encode(value))
  } catch {
    throw invalidParams('invalid base58 encoding: InvalidCharacter')
  }
}

/** What is wrong with bytes, as RPC nodes say it. */
export function deserialized<T>(type: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Malformed) throw invalidParams(`failed to deserialize ${type}: io error: ${error.message}`)
    throw error
  }
}

/** Decodes the transaction of a call. */
export function decodeTransaction(value: string, encoding: unknown): WireTransaction {
  const wire = decodeBytes(value, encoding)
  if (wire.length > WIRE_MOST)
    throw invalidParams(`decoded ${TYPE} too large: ${wire.length} bytes (max: ${WIRE_MOST} bytes)`)
  return deserialized(TYPE, () => parseTransaction(wire))
}
