import { availableParallelism } from 'node:os'
import type { Input, RecordType } from '../../index.js'
import { checkString, checkTicks, refuse, words } from '../errors/check.js'
import { asVeloxError, native, owned } from '../native.js'
import { type Codec, codecOf } from '../record/codec.js'
import { strideOf } from '../ring/layout.js'
import { signedOf } from './signed.js'
import type { BuildContext, SignedTransaction, TransactionBuilder } from './transaction-builder.js'

/** From so many transactions on, two threads sign. */
const SHARED_FROM = 4

/** A message with holes, on the native side: it fills them, signs and encodes, on native threads. */
export class TransactionTemplate<T extends RecordType = RecordType> implements TransactionBuilder {
  readonly feePayer: string
  readonly recordsPerTransaction: number
  readonly record: T
  readonly #slot: number
  readonly #codec: Codec<T>
  readonly #stride: number

  constructor(slot: number, record: T, recordsPerTransaction: number) {
    this.#slot = owned(this, slot)
    this.record = record
    this.recordsPerTransaction = recordsPerTransaction
    this.feePayer = native.templateFeePayer(slot)
    this.#codec = codecOf(record)
    this.#stride = strideOf(this.#codec.byteLength)
  }

  /**
   * Signed transactions of these records, in their order. VELOX_HOLE_OVERFLOW for a value that doesn't fit its hole,
   * VELOX_INVALID_VALUE for records, a tip or a context that can't be: nothing is built then.
   */
  async build(records: readonly Input<T>[], context: BuildContext): Promise<readonly SignedTransaction[]> {
    if (!Array.isArray(records)) refuse('records', 'an array of records', records)
    const bytes = new Uint8Array(records.length * this.#stride)
    const view = new DataView(bytes.buffer)
    for (const [i, record] of records.entries()) this.#codec.write(view, i * this.#stride, record)
    return this.#build(bytes, context)
  }

  /**
   * The same, of records as they lie in memory one after another, without an object each: those of a Bundle are the first
   * 32 × `count` of its bytes. The bytes are copied before it returns.
   */
  async buildBytes(records: Uint8Array, context: BuildContext): Promise<readonly SignedTransaction[]> {
    if (!(records instanceof Uint8Array)) refuse('records', 'a Uint8Array', records)
    return this.#build(records, context)
  }

  async #build(bytes: Uint8Array, context: BuildContext): Promise<readonly SignedTransaction[]> {
    const { blockhash, computeUnitPrice, tip } = checkContext(context)
    const count = Math.ceil(bytes.length / this.#stride / this.recordsPerTransaction)
    const part = async (from: number, to: number) => {
      try {
        const { lamports = 0n, account } = tip ?? {}
        return signedOf(
          await native.templateBuild(this.#slot, bytes, blockhash, computeUnitPrice, lamports, account, from, to),
        )
      } catch (error) {
        throw asVeloxError(error)
      }
    }
    if (count < SHARED_FROM || availableParallelism() < 2) return distinct(await part(0, count))
    const half = Math.ceil(count / 2)
    return distinct((await Promise.all([part(0, half), part(half, count)])).flat())
  }
}

/** What every builder asks of a context. */
export function checkContext(context: BuildContext): BuildContext {
  if (typeof context !== 'object' || context === null) refuse('context', 'a BuildContext', context)
  const { blockhash, computeUnitPrice, tip } = context
  checkString('blockhash', blockhash)
  checkTicks('computeUnitPrice', computeUnitPrice)
  if (tip !== undefined) {
    if (typeof tip !== 'object' || tip === null) refuse('tip', 'lamports and an account', tip)
    checkTicks('tip.lamports', tip.lamports)
    checkString('tip.account', tip.account)
  }
  return context
}

/** The network takes a transaction once: a second one that is equal would never land. */
export function distinct(signed: readonly SignedTransaction[]): readonly SignedTransaction[] {
  if (new Set(signed.map(({ signature }) => signature)).size < signed.length)
    refuse('records', 'records that make different transactions', words('two that are equal'))
  return signed
}
