// A builder of transactions by kit alone, as a user without a template would write it: each record is a memo.
import {
  type Address,
  address,
  appendTransactionMessageInstructions,
  type Blockhash,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getTransactionEncoder,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getSetComputeUnitLimitInstruction, getSetComputeUnitPriceInstruction } from '@solana-program/compute-budget'
import { getAddMemoInstruction } from '@solana-program/memo'
import { getTransferSolInstruction } from '@solana-program/system'
import type { BuildContext, Row, SignedTransaction, TransactionBuilder } from 'velox-engine/solana'
import { MEMO_PROGRAM } from './solana/index.js'

const LAMPORTS_PER_SIGNATURE = 5_000n
const UNITS = 100_000

export interface KitBuilderOptions {
  readonly recordsPerTransaction?: number
  /** The text of a record's memo; default: its id. */
  readonly memo?: (row: Row) => string
  /** Lamports that each transaction pays somebody, which is more than the payer has where it is to fail. */
  readonly pays?: { readonly to: Address; readonly lamports: (rows: readonly Row[]) => bigint }
}

export function kitBuilder(payer: KeyPairSigner, o: KitBuilderOptions = {}): TransactionBuilder {
  const { recordsPerTransaction = 1, memo = ({ id }: Row) => String(id), pays } = o

  async function one(rows: readonly Row[], c: BuildContext, tip: BuildContext['tip']): Promise<SignedTransaction> {
    const paid = pays?.lamports(rows) ?? 0n
    const transfer = (destination: Address, amount: bigint) =>
      getTransferSolInstruction({ source: payer, destination, amount: lamports(amount) })
    const instructions: Instruction[] = [
      getSetComputeUnitLimitInstruction({ units: UNITS }),
      getSetComputeUnitPriceInstruction({ microLamports: c.computeUnitPrice }),
      ...rows.map((row) => getAddMemoInstruction({ memo: memo(row) }, { programAddress: MEMO_PROGRAM })),
      ...(pays ? [transfer(pays.to, paid)] : []),
      ...(tip ? [transfer(address(tip.account), tip.lamports)] : []),
    ]
    const lifetime = { blockhash: c.blockhash as Blockhash, lastValidBlockHeight: c.lastValidBlockHeight }
    const transaction = await pipe(
      createTransactionMessage({ version: 0 }),
      (m) => setTransactionMessageFeePayerSigner(payer, m),
      (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
      (m) => appendTransactionMessageInstructions(instructions, m),
      (m) => signTransactionMessageWithSigners(m),
    )
    const priority = (BigInt(UNITS) * c.computeUnitPrice + 999_999n) / 1_000_000n
    return {
      signature: getSignatureFromTransaction(transaction),
      wire: new Uint8Array(getTransactionEncoder().encode(transaction)),
      base64: getBase64EncodedWireTransaction(transaction),
      records: rows.length,
      lamports: LAMPORTS_PER_SIGNATURE + priority + paid,
      tipLamports: tip?.lamports ?? 0n,
    }
  }

  return {
    feePayer: payer.address,
    recordsPerTransaction,
    async build(records, context) {
      const made: SignedTransaction[] = []
      for (let at = 0; at < records.length; at += recordsPerTransaction) {
        const isLast = at + recordsPerTransaction >= records.length
        made.push(await one(records.slice(at, at + recordsPerTransaction), context, isLast ? context.tip : undefined))
      }
      return made
    },
  }
}
