import type * as Kit from '@solana/kit'
import type { Input, RecordType, Transaction as TransactionFace } from '../../index.js'
import { checkFunction, checkInteger, checkOptions, kindOf, refuse, words } from '../errors/check.js'
import { VeloxError } from '../errors/velox-error.js'
import { call, native } from '../native.js'
import { type KitMessage, kit } from './kit.js'
import type { BuildContext, SignedTransaction, TransactionBuilder } from './transaction-builder.js'
import { checkContext, distinct } from './transaction-template.js'

const OPTIONS = ['feePayer', 'record', 'recordsPerTransaction', 'build']
const SYSTEM = '11111111111111111111111111111111'
const MOST_BYTES = 1_232
const LEAST_TIP = 1_000n

/** What the slow lane is made of. */
export interface MessageBuilderOptions<T extends RecordType> {
  /** The account that pays, in base58: that of every message. */
  readonly feePayer: string
  /** What the records are, for the compiler: Transaction by default. */
  readonly record?: T
  /** How many records go into one message: 1. */
  readonly recordsPerTransaction?: number
  /**
   * A message for every `recordsPerTransaction` of the records, in their order. Its fee payer and its accounts may be any
   * signers of kit. A message without a lifetime gets the context's blockhash, one of another blockhash is refused; the last one
   * gets the context's tip.
   */
  readonly build: (
    records: readonly Input<T>[],
    context: BuildContext,
  ) => readonly KitMessage[] | Promise<readonly KitMessage[]>
}

/** A transfer of the system program. */
function tipInstruction(from: string, tip: { readonly lamports: bigint; readonly account: string }): Kit.Instruction {
  const data = Buffer.alloc(12)
  data.writeUInt32LE(2)
  data.writeBigUInt64LE(tip.lamports, 4)
  // AccountRole of kit: 3 signs and is written, 1 is written.
  const accounts = [
    { address: from, role: 3 },
    { address: tip.account, role: 1 },
  ] as unknown as Kit.AccountMeta[]
  return { programAddress: SYSTEM as Kit.Address, accounts, data: new Uint8Array(data) }
}

function checkTip(tip: BuildContext['tip'], message: KitMessage): void {
  if (tip === undefined) return
  if (tip.lamports < LEAST_TIP) refuse('tip.lamports', 'at least 1000n', tip.lamports)
  const accounts = message.instructions.flatMap(({ accounts = [] }) => accounts)
  if (accounts.some((account) => 'lookupTableAddress' in account && account.address === tip.account))
    refuse('tip.account', 'an account that is in no lookup table of the message', tip.account)
}

/**
 * The slow lane, on the event loop and by kit: for what a template can't do, such as keys of a service or of hardware,
 * lookup tables by record, calculated fields, durable nonces. Some milliseconds a transaction.
 *
 * @example
 * const builder = await messageBuilder({
 *   feePayer: kms.address,
 *   build: (orders) => orders.map((order) =>
 *     pipe(
 *       createTransactionMessage({ version: 0 }),
 *       (m) => setTransactionMessageFeePayerSigner(kms, m),
 *       (m) => appendTransactionMessageInstruction(instructionOf(order), m),
 *     ),
 *   ),
 * })
 */
export async function messageBuilder<T extends RecordType = typeof TransactionFace>(
  o: MessageBuilderOptions<T>,
): Promise<TransactionBuilder> {
  checkOptions(o, OPTIONS, 'messageBuilder')
  const { feePayer, build, recordsPerTransaction = 1 } = o
  checkInteger('recordsPerTransaction', recordsPerTransaction, 1)
  if (typeof build !== 'function') checkFunction('build', 'a function that gives messages', build)
  const peer = await kit()
  if (typeof feePayer !== 'string' || !peer.isAddress(feePayer))
    refuse('feePayer', 'an address in base58', kindOf(feePayer))

  async function signed(
    given: KitMessage,
    records: number,
    context: BuildContext,
    tip: BuildContext['tip'],
  ): Promise<SignedTransaction> {
    let message = given as KitMessage & Kit.TransactionMessageWithSigners
    if (message?.feePayer?.address !== feePayer)
      refuse('build', `messages that ${feePayer} pays`, message?.feePayer?.address ?? message)
    checkTip(tip, message)
    if (tip !== undefined)
      message = peer.appendTransactionMessageInstruction(tipInstruction(feePayer, tip), message as never) as never
    const hasNonce = peer.isTransactionMessageWithDurableNonceLifetime(message as never)
    const { blockhash, lastValidBlockHeight } = context
    const { lifetimeConstraint: own } = message as { lifetimeConstraint?: { blockhash?: string } }
    // When it can't land any more is told by the context: one of another blockhash could still do.
    if (!hasNonce && own !== undefined && own.blockhash !== blockhash)
      refuse(
        'build',
        `messages without a lifetime, or of the context's blockhash ${blockhash}`,
        words('another blockhash'),
      )
    if (!hasNonce) {
      const lifetime = { blockhash: blockhash as Kit.Blockhash, lastValidBlockHeight }
      message = peer.setTransactionMessageLifetimeUsingBlockhash(lifetime, message as never) as never
    }
    const compiled = peer.compileTransactionMessage(message as KitMessage)
    const bytes = new Uint8Array(peer.getCompiledTransactionMessageEncoder().encode(compiled as never))
    const length = 1 + 64 * compiled.header.numSignerAccounts + bytes.length
    if (length > MOST_BYTES)
      throw new VeloxError('VELOX_TRANSACTION_TOO_LONG', { records, bytes: length, most: MOST_BYTES, fits: 0 })
    const transaction = await peer.signTransactionMessageWithSigners(message)
    const wire = new Uint8Array(peer.getTransactionEncoder().encode(transaction))
    const tipLamports = tip?.lamports ?? 0n
    return {
      signature: peer.getSignatureFromTransaction(transaction),
      wire,
      base64: Buffer.from(wire.buffer, wire.byteOffset, wire.byteLength).toString('base64'),
      records,
      // Of what was signed: a signer of kit may have changed it.
      lamports: call(() => native.messageLamports(new Uint8Array(transaction.messageBytes))) - tipLamports,
      tipLamports,
      hasNonce,
    }
  }

  return {
    feePayer,
    recordsPerTransaction,
    async build(records, context) {
      checkContext(context)
      const messages = await build(records as readonly Input<T>[], context)
      const count = Math.ceil(records.length / recordsPerTransaction)
      if (!Array.isArray(messages) || messages.length !== count)
        refuse('build', `${count} messages of ${records.length} records`, messages)
      const last = messages.length - 1
      const all = messages.map((message: KitMessage, i) => {
        const inside = Math.min(recordsPerTransaction, records.length - i * recordsPerTransaction)
        return signed(message, inside, context, i === last ? context.tip : undefined)
      })
      return distinct(await Promise.all(all))
    },
  }
}
