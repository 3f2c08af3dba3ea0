// What tests send to a cluster, made by kit.
import {
  type Address,
  appendTransactionMessageInstructions,
  type Blockhash,
  createSolanaRpc,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase58Decoder,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  type Nonce,
  pipe,
  type Signature,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getAddMemoInstruction } from '@solana-program/memo'
import {
  getCreateAccountInstruction,
  getInitializeNonceAccountInstruction,
  getTransferSolInstruction,
} from '@solana-program/system'
import { MEMO_PROGRAM, SYSTEM_PROGRAM, TIP_ACCOUNTS } from './addresses.js'
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

/** A new nonce account of `from`, and what makes it. */
export async function nonceAccount(
  from: KeyPairSigner,
  lifetime: Lifetime,
): Promise<{ readonly account: Address; readonly made: { readonly base64: string; readonly signature: Signature } }> {
  const account = await generateKeyPairSigner()
  const made = await signed(
    from,
    lifetime,
    getCreateAccountInstruction({
      payer: from,
      newAccount: account,
      lamports: 2_000_000n,
      space: 80n,
      programAddress: SYSTEM_PROGRAM,
    }),
    getInitializeNonceAccountInstruction({ nonceAccount: account.address, nonceAuthority: from.address }),
  )
  return { account: account.address, made }
}

/** The nonce in an account, as of the newest block. */
export async function nonceIn(cluster: Cluster, account: Address): Promise<Nonce> {
  const { value } = await createSolanaRpc(cluster.url)
    .getAccountInfo(account, { commitment: 'processed', encoding: 'base64' })
    .send()
  return getBase58Decoder().decode(Buffer.from(value?.data[0] ?? '', 'base64').subarray(40, 72)) as Nonce
}

export const latest = async (cluster: Cluster): Promise<Lifetime> =>
  (await createSolanaRpc(cluster.url).getLatestBlockhash({ commitment: 'processed' }).send()).value
