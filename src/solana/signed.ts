// What the native side gives of one build, read where it lies. `packed` in crates/velox-node/src/solana.rs writes it.
import { nativeError } from '../native.js'
import type { SignedTransaction } from './transaction-builder.js'

const HEADER = 8
const ENTRY = 40

/** One transaction: texts are decoded when they are asked for. Its fields are its own, so that a copy by `...` has them. */
function signedAt(bytes: Buffer, at: number): SignedTransaction {
  const word = (i: number) => bytes.readUInt32LE(at + 4 * i)
  const [start, wire, base64, signature, records] = [word(0), word(1), word(2), word(3), word(4)]
  const base64At = start + wire
  const signatureAt = base64At + base64
  return {
    signature: bytes.toString('latin1', signatureAt, signatureAt + signature),
    get wire() {
      return new Uint8Array(bytes.buffer, bytes.byteOffset + start, wire)
    },
    get base64() {
      return bytes.toString('latin1', base64At, signatureAt)
    },
    records,
    lamports: bytes.readBigUInt64LE(at + 24),
    tipLamports: bytes.readBigUInt64LE(at + 32),
    hasNonce: false,
  }
}

/** The transactions of one native answer; throws the error that it may be instead. */
export function signedOf(answer: Uint8Array): SignedTransaction[] {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)
  if (bytes[0] !== 0) {
    const { code, context } = JSON.parse(bytes.toString('utf8', 1))
    throw nativeError(code, context)
  }
  return Array.from({ length: bytes.readUInt32LE(4) }, (_, i) => signedAt(bytes, HEADER + ENTRY * i))
}
