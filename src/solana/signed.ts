// What the native side gives of one build, read where it lies. `packed` in crates/velox-node/src/solana.rs writes it.
import { nativeError } from '../native.js'
import type { SignedTransaction } from './transaction-builder.js'

const HEADER = 8
const ENTRY = 40

class Signed implements SignedTransaction {
  readonly hasNonce = false
  readonly #bytes: Buffer
  readonly #at: number
  #base64: string | undefined
  #signature: string | undefined

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  #word(i: number): number {
    return this.#bytes.readUInt32LE(this.#at + 4 * i)
  }

  get signature(): string {
    const start = this.#word(0) + this.#word(1) + this.#word(2)
    this.#signature ??= this.#bytes.toString('latin1', start, start + this.#word(3))
    return this.#signature
  }

  get wire(): Uint8Array {
    const { buffer, byteOffset } = this.#bytes
    return new Uint8Array(buffer, byteOffset + this.#word(0), this.#word(1))
  }

  get base64(): string {
    const start = this.#word(0) + this.#word(1)
    this.#base64 ??= this.#bytes.toString('latin1', start, start + this.#word(2))
    return this.#base64
  }

  get records(): number {
    return this.#word(4)
  }

  get lamports(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 24)
  }

  get tipLamports(): bigint {
    return this.#bytes.readBigUInt64LE(this.#at + 32)
  }
}

/** The transactions of one native answer; throws the error that it may be instead. Texts are decoded when they are asked for. */
export function signedOf(answer: Uint8Array): SignedTransaction[] {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)
  if (bytes[0] !== 0) {
    const { code, context } = JSON.parse(bytes.toString('utf8', 1))
    throw nativeError(code, context)
  }
  return Array.from({ length: bytes.readUInt32LE(4) }, (_, i) => new Signed(bytes, HEADER + ENTRY * i))
}
