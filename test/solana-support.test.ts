import {
  type Address,
  airdropFactory,
  appendTransactionMessageInstructions,
  assertIsSendableTransaction,
  assertIsTransactionWithBlockhashLifetime,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { getAddMemoInstruction } from '@solana-program/memo'
import { getTransferSolInstruction } from '@solana-program/system'
import { expect, test } from 'vitest'
import { type Cluster, MEMO_PROGRAM, startCluster } from './support/solana/index.js'

const client = (cluster: Cluster, node = 0) => ({
  rpc: createSolanaRpc(cluster.node(node).url),
  rpcSubscriptions: createSolanaRpcSubscriptions(cluster.node(node).wsUrl),
})

async function signed(cluster: Cluster, payer: KeyPairSigner, instructions: readonly Instruction[]) {
  const { value: lifetime } = await client(cluster).rpc.getLatestBlockhash({ commitment: 'confirmed' }).send()
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
    (m) => appendTransactionMessageInstructions(instructions, m),
  )
  const transaction = await signTransactionMessageWithSigners(message)
  assertIsSendableTransaction(transaction)
  assertIsTransactionWithBlockhashLifetime(transaction)
  return transaction
}

const memo = (text: string) => getAddMemoInstruction({ memo: text }, { programAddress: MEMO_PROGRAM })
const transfer = (source: KeyPairSigner, destination: Address, amount: bigint) =>
  getTransferSolInstruction({ source, destination, amount })

async function payer(cluster: Cluster, sol = 10n): Promise<KeyPairSigner> {
  const signer = await generateKeyPairSigner()
  cluster.fund(signer.address, sol * 1_000_000_000n)
  return signer
}

test("kit's own client sends and confirms a transaction", async () => {
  await using cluster = await startCluster({ slotMillis: 20 })
  const { rpc, rpcSubscriptions } = client(cluster)
  const from = await generateKeyPairSigner()
  const to = await generateKeyPairSigner()
  const airdrop = airdropFactory({ rpc, rpcSubscriptions })
  await airdrop({ commitment: 'confirmed', lamports: lamports(1_000_000_000n), recipientAddress: from.address })
  const transaction = await signed(cluster, from, [memo('hello'), transfer(from, to.address, 5_000_000n)])
  await sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })(transaction, { commitment: 'confirmed' })
  const signature = getSignatureFromTransaction(transaction)
  const { value } = await rpc.getSignatureStatuses([signature]).send()
  expect(value[0]?.err).toBe(null)
  expect(cluster.ledger.transaction(signature)).toMatchObject({ err: null, feeLamports: 5000n, memos: ['hello'] })
  expect(cluster.ledger.balance(to.address)).toBe(5_000_000n)
  expect(cluster.ledger.balance(from.address)).toBe(1_000_000_000n - 5_000_000n - 5000n)
})

test('a sent transaction lands at a following slot, not at once', async () => {
  await using cluster = await startCluster({ slotMillis: 0 })
  const { rpc } = client(cluster)
  const from = await payer(cluster)
  const transaction = await signed(cluster, from, [memo('later')])
  const wire = getBase64EncodedWireTransaction(transaction)
  const signature = await rpc.sendTransaction(wire, { encoding: 'base64', preflightCommitment: 'confirmed' }).send()
  const status = async () => (await rpc.getSignatureStatuses([signature]).send()).value[0]
  expect(await status()).toBe(null)
  cluster.tick()
  expect(await status()).toMatchObject({ confirmationStatus: 'processed', confirmations: 0n })
  cluster.tick()
  expect(await status()).toMatchObject({ confirmationStatus: 'confirmed', confirmations: 1n })
  cluster.tick(30)
  expect(await status()).toMatchObject({ confirmationStatus: 'finalized', confirmations: null })
})
