// What tests send to a cluster, made by kit.
import {
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  pipe,
  type Signature,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getAddMemoInstruction } from '@solana-program/memo'
import { getTransferSolInstruction } from '@solana-program/system'
import { MEMO_PROGRAM, TIP_ACCOUNTS } from './addresses.js'
import type { Cluster } from './cluster.js'

/** A record as a memo of the version that the cluster has. */
export const memo = (text: string): Instruction =>
  getAddMemoInstruction({ memo: text }, { programAddress: MEMO_PROGRAM })

export const transfer = (source: KeyPairSigner, destination: Address, amount: bigint): Instruction =>
  getTransferSolInstruction({ source, destination, amount })

/** Lamports for the first tip account. */
export const tip = (source: KeyPairSigner, amount = 1000n): Instruction =>
  transfer(source, TIP_ACCOUNTS[0] as Address, amount)

/** A signer with lamports from nowhere. */
export async function payer(cluster: Cluster, lamports = 10_000_000_000n): Promise<KeyPairSigner> {
  const signer = await generateKeyPairSigner()
  cluster.fund(signer.address, lamports)
  return signer
}

export interface Lifetime {
  readonly blockhash: Blockhash
  readonly lastValidBlockHeight: bigint
}

/** A signed version 0 transaction: as kit has it, and as it is sent. */
export async function signed(from: KeyPairSigner, lifetime: Lifetime, ...instructions: readonly Instruction[]) {
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(from, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
  )
  const transaction = await signTransactionMessageWithSigners(message)
  const base64 = getBase64EncodedWireTransaction(transaction)
  const signature: Signature = getSignatureFromTransaction(transaction)
  return { transaction, base64, signature }
}
